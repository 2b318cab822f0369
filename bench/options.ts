import { parseArgs } from 'node:util'
import { validateLaunchOptions } from '../src/config/index.js'
import { CONTENDERS, type Contender } from './contender.js'
import { RINGS, type Ring } from './setup.js'

export interface Options {
  readonly contenders: readonly Contender[]
  readonly rings: readonly Ring[]
  readonly frameBytes: number
  readonly burst: number
  readonly rounds: number
  readonly seconds: number
  readonly limitSeconds: number
  /** Measured time of the boundary to JavaScript, for each ring. */
  readonly boundarySeconds: number
  readonly patienceSeconds: number
  readonly memory: 'auto' | 'hugepages' | 'memfd'
  readonly cpus: readonly [number, number] | undefined
  readonly json: string | undefined
}

/** Something is wrong with the command line. */
export class UsageError extends Error {}

/** Whole rounds that fit in two minutes. */
const QUICK = { rounds: 3, seconds: 0.4, limitSeconds: 95, boundarySeconds: 4 }
const NORMAL = {
  rounds: 5,
  seconds: 1,
  limitSeconds: Number.POSITIVE_INFINITY,
  boundarySeconds: 10,
}

/** What an lcore takes when nobody says otherwise. */
const USUAL_BURST = validateLaunchOptions().burst

export const HELP = `npm run bench -- [options]      switches side by side, under the same load
npm run bench -- micro          parts of a switch by themselves

  --quick            ${QUICK.rounds} short rounds, under two minutes
  --only A,B         these switches only: ${CONTENDERS.map(({ name }) => name).join(', ')}
  --rings A,B        layouts of the virtqueues: ${RINGS.join(', ')} (default: split,packed)
  --rounds N         rounds in which each takes its turn (default: ${NORMAL.rounds})
  --seconds N        measured time of each turn (default: ${NORMAL.seconds})
  --frame-bytes N    length of the frames without FCS, 60 to 1514 (default: 64)
  --patience N       seconds to wait, before each turn, for both CPUs to be free (default: 0)
  --burst N          most frames a switch takes at once, 1 to 256 (default: ${USUAL_BURST}, as in launch)
  --memory KIND      hugepages or memfd, for every process (default: hugepages if enough are free)
  --cpus S,G         CPU of the switch and CPU of the generator (default: two that share no core)
  --json FILE        writes everything that was measured
  --help             shows this

${CONTENDERS.map(({ name, what }) => `  ${name.padEnd(18)} ${what}`).join('\n')}
`

/** @throws {@link UsageError} */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parse(args)
  if (values.help) return 'help'
  const preset = values.quick ? QUICK : NORMAL
  return {
    contenders: pick(
      '--only',
      values.only,
      CONTENDERS.map(({ name }) => name),
    ).map((name) => CONTENDERS.find((contender) => contender.name === name) as Contender),
    rings: pick('--rings', values.rings ?? 'split,packed', RINGS),
    frameBytes: number('--frame-bytes', values['frame-bytes'], 64, 60, 1514),
    burst: number('--burst', values.burst, USUAL_BURST, 1, 256),
    rounds: number('--rounds', values.rounds, preset.rounds, 1, 1000),
    seconds: number('--seconds', values.seconds, preset.seconds, 0.1, 600, false),
    limitSeconds: preset.limitSeconds,
    boundarySeconds: preset.boundarySeconds,
    patienceSeconds: number('--patience', values.patience, 0, 0, 3600),
    memory: one('--memory', values.memory ?? 'auto', ['auto', 'hugepages', 'memfd']),
    cpus: cpuPair(values.cpus),
    json: values.json,
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean' },
        only: text,
        rings: text,
        rounds: text,
        seconds: text,
        'frame-bytes': text,
        burst: text,
        patience: text,
        memory: text,
        cpus: text,
        json: text,
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function one<T extends string>(option: string, value: string, known: readonly T[]): T {
  const found = known.find((name) => name === value)
  if (found === undefined) {
    throw new UsageError(`${option}: '${value}' is none of ${known.join(', ')}`)
  }
  return found
}

/** Those named, in the order of `known`; all when none is named. */
function pick<T extends string>(
  option: string,
  list: string | undefined,
  known: readonly T[],
): T[] {
  if (list === undefined) return [...known]
  const named = list.split(',').map((name) => one(option, name.trim(), known))
  return known.filter((name) => named.includes(name))
}

function number(
  option: string,
  value: string | undefined,
  fallback: number,
  least: number,
  most: number,
  whole = true,
): number {
  if (value === undefined) return fallback
  const result = Number(value)
  if (!(result >= least && result <= most) || (whole && !Number.isInteger(result))) {
    const kind = whole ? 'a whole number' : 'a number'
    throw new UsageError(`${option}: '${value}' is not ${kind} from ${least} to ${most}`)
  }
  return result
}

function cpuPair(value: string | undefined): readonly [number, number] | undefined {
  if (value === undefined) return undefined
  const match = value.match(/^(\d+),(\d+)$/)
  if (match === null) throw new UsageError(`--cpus: '${value}' is not two numbers such as 2,3`)
  return [Number(match[1]), Number(match[2])]
}
