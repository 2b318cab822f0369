import { cpuPair, number, one, parseFlags, pickNamed } from '../arguments.js'
import { CONTENDERS, type Contender } from './contender.js'

export interface Options {
  readonly contenders: readonly Contender[]
  readonly rounds: number
  /** Frames a second of the stream. */
  readonly rate: number
  readonly memory: 'auto' | 'hugepages' | 'memfd'
  readonly cpus: readonly [number, number] | undefined
  readonly patienceSeconds: number
  readonly json: string | undefined
}

const ROUNDS = 9
const QUICK_ROUNDS = 3

/** Each tells a gap to a tenth of a millisecond, and is far from what any switch can carry. */
const RATE = 10_000

const VALUES = ['only', 'rounds', 'rate', 'memory', 'cpus', 'patience', 'json'] as const

export const HELP = `npm run bench -- reconnect [options]      how long a stream of frames stops when
                                          (a) the switch is killed and started again
                                          (b) the receiving guest is killed and started again

  --quick            ${QUICK_ROUNDS} rounds, under a minute and a half
  --only A,B         these switches only: ${CONTENDERS.map(({ name }) => name).join(', ')}
  --rounds N         rounds in which each takes its turn (default: ${ROUNDS})
  --rate N           frames a second, 1000 to 50000 (default: ${RATE})
  --patience N       seconds to wait, before each turn, for both CPUs to be free (default: 0)
  --memory KIND      hugepages or memfd, for every switch (default: hugepages if enough are free)
  --cpus S,G         CPU of the switch's polling thread and CPU of the guests' (default: two that share no core)
  --json FILE        writes everything that was measured
  --help             shows this

${CONTENDERS.map(({ name, what }) => `  ${name.padEnd(18)} ${what}`).join('\n')}
`

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const values = parseFlags(args, VALUES, ['quick'])
  if (values.help) return 'help'
  return {
    contenders: pickNamed('--only', values.only, CONTENDERS),
    rounds: number('--rounds', values.rounds, values.quick ? QUICK_ROUNDS : ROUNDS, 1, 1000),
    rate: number('--rate', values.rate, RATE, 1000, 50_000),
    memory: one('--memory', values.memory ?? 'auto', ['auto', 'hugepages', 'memfd']),
    cpus: cpuPair(values.cpus),
    patienceSeconds: number('--patience', values.patience, 0, 0, 3600),
    json: values.json,
  }
}
