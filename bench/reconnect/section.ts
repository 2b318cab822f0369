import { number, pickNamed } from '../arguments.js'
import type { Asked, Context, Section } from '../section.js'
import { CONTENDERS, type Contender } from './contender.js'
import { figures, type ReconnectResult, reconnectResult, show } from './report.js'
import { type Results, runReconnect } from './run.js'

const ROUNDS = { smoke: 1, quick: 1, usual: 3, full: 7 }

/** Who takes part where nobody is named. */
const PARTS = {
  smoke: 'dpdk-vhost',
  quick: 'dpdk-vhost,ovs-dpdk',
  usual: 'dpdk-vhost,ovs-dpdk,testpmd',
  full: undefined,
}

/** Each tells a gap to a tenth of a millisecond, and is far from what any switch can carry. */
const RATE = 10_000

/** What the turn of a switch takes. */
const TURN_SECONDS = 5

export interface ReconnectOptions {
  readonly contenders: readonly Contender[]
  readonly rounds: number
  /** Frames a second of the stream. */
  readonly rate: number
}

/** How long a stream of frames stops when the switch, or a guest, dies and is started again. */
export const reconnectSection: Section<ReconnectResult> = {
  name: 'reconnect',
  title: 'How long a restart of the switch, or of a guest, is felt',
  contenders: CONTENDERS,
  options: [
    {
      name: 'rounds',
      value: 'N',
      what: `rounds in which each takes its turn (default: ${ROUNDS.usual})`,
    },
    { name: 'rate', value: 'N', what: `frames a second, 1000 to 50000 (default: ${RATE})` },
  ],
  seconds: (effort, asked) => {
    const { contenders, rounds } = reconnectOptions(asked ?? { effort })
    return Math.ceil(contenders.length * rounds * TURN_SECONDS)
  },
  check: (asked) => void versionsOf(reconnectOptions(asked).contenders, asked),
  measure,
  show,
  figures,
}

/** @throws UsageError */
export function reconnectOptions({
  smoke,
  effort,
  only,
  options: values = {},
}: Asked): ReconnectOptions {
  const preset = smoke ? 'smoke' : effort
  return {
    contenders: pickNamed('--only', only?.join(',') ?? PARTS[preset], CONTENDERS),
    rounds: number('--rounds', values.rounds, ROUNDS[preset], 1, 1000),
    rate: number('--rate', values.rate, RATE, 1000, 50_000),
  }
}

async function measure(context: Context): Promise<ReconnectResult> {
  const { contenders, rounds, rate } = reconnectOptions(context)
  const versions = versionsOf(contenders, context, context.say)
  const resultOf = (results: Results) => reconnectResult({ rounds, rate, versions }, results)
  const there = contenders.filter(({ name }) => name in versions)
  const options = { ...context, contenders: there, rounds, rate }
  return resultOf(await runReconnect(options, context, (sofar) => context.keep?.(resultOf(sofar))))
}

/** Of those that are installed; one asked for by its name that is not is an error. */
function versionsOf(
  contenders: readonly Contender[],
  { only }: Asked,
  say: (what: string) => void = () => {},
): Record<string, string | undefined> {
  const versions: Record<string, string | undefined> = {}
  for (const contender of contenders) {
    try {
      versions[contender.name] = contender.version()
    } catch (error) {
      if (only !== undefined) throw error
      say(`without ${contender.name}: ${(error as Error).message}`)
    }
  }
  return versions
}
