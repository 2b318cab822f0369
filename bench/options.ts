import { validateLaunchOptions } from '../src/config/index.js'
import { cpuPair, number, one, parseFlags, pick, pickNamed } from './arguments.js'
import { CONTENDERS, type Contender } from './contender.js'
import { RETAKES } from './sample-taker.js'
import { RINGS, type Ring } from './setup.js'

export interface Options {
  readonly contenders: readonly Contender[]
  /** Whether they were asked for by their names. */
  readonly named: boolean
  readonly rings: readonly Ring[]
  readonly frameBytes: number
  readonly burst: number
  readonly rounds: number
  readonly seconds: number
  readonly limitSeconds: number
  /** Measured time of the boundary to JavaScript, for each ring. */
  readonly boundarySeconds: number
  readonly patienceSeconds: number
  /** How often a disturbed sample is taken again. */
  readonly retakes: number
  readonly memory: 'auto' | 'hugepages' | 'memfd'
  readonly cpus: readonly [number, number] | undefined
  readonly json: string | undefined
}

/** Whole rounds that fit in two minutes. */
const QUICK = { rounds: 3, seconds: 0.4, limitSeconds: 95, boundarySeconds: 4 }
const NORMAL = {
  rounds: 5,
  seconds: 1,
  limitSeconds: Number.POSITIVE_INFINITY,
  boundarySeconds: 10,
}

const VALUES = [
  'only',
  'rings',
  'rounds',
  'seconds',
  'frame-bytes',
  'burst',
  'patience',
  'retakes',
  'memory',
  'cpus',
  'json',
] as const

/** What an lcore takes when nobody says otherwise. */
const USUAL_BURST = validateLaunchOptions().burst

export const HELP = `npm run bench -- [options]      switches side by side, under the same load
npm run bench -- micro          parts of a switch by themselves
npm run bench -- ports          one switch with 256 ports, of which two are active
npm run bench -- reconnect      how long a restart of the switch, or of a guest, is felt

  --quick            ${QUICK.rounds} short rounds, under two minutes
  --only A,B         these switches only: ${CONTENDERS.map(({ name }) => name).join(', ')}
  --rings A,B        layouts of the virtqueues: ${RINGS.join(', ')} (default: split,packed)
  --rounds N         rounds in which each takes its turn (default: ${NORMAL.rounds})
  --seconds N        measured time of each turn (default: ${NORMAL.seconds})
  --frame-bytes N    length of the frames without FCS, 60 to 1514 (default: 64)
  --patience N       seconds to wait, before each turn, for both CPUs to be free (default: 0)
  --retakes N        how often a disturbed sample is taken again (default: ${RETAKES})
  --burst N          most frames a switch takes at once, 1 to 256 (default: ${USUAL_BURST}, as in launch)
  --memory KIND      hugepages or memfd, for every process (default: hugepages if enough are free)
  --cpus S,G         CPU of the switch and CPU of the generator (default: two that share no core)
  --json FILE        writes everything that was measured
  --help             shows this

${CONTENDERS.map(({ name, what }) => `  ${name.padEnd(18)} ${what}`).join('\n')}
`

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const values = parseFlags(args, VALUES, ['quick'])
  if (values.help) return 'help'
  const preset = values.quick ? QUICK : NORMAL
  return {
    contenders: pickNamed('--only', values.only, CONTENDERS),
    named: values.only !== undefined,
    rings: pick('--rings', values.rings ?? 'split,packed', RINGS),
    frameBytes: number('--frame-bytes', values['frame-bytes'], 64, 60, 1514),
    burst: number('--burst', values.burst, USUAL_BURST, 1, 256),
    rounds: number('--rounds', values.rounds, preset.rounds, 1, 1000),
    seconds: number('--seconds', values.seconds, preset.seconds, 0.1, 600, false),
    limitSeconds: preset.limitSeconds,
    boundarySeconds: preset.boundarySeconds,
    retakes: number('--retakes', values.retakes, RETAKES, 0, 100),
    patienceSeconds: number('--patience', values.patience, 0, 0, 3600),
    memory: one('--memory', values.memory ?? 'auto', ['auto', 'hugepages', 'memfd']),
    cpus: cpuPair(values.cpus),
    json: values.json,
  }
}
