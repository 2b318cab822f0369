import { validateLaunchOptions } from '../../src/config/index.js'
import { number, pick, pickNamed } from '../arguments.js'
import { CONTENDERS, type Contender, contendersOf } from '../contender.js'
import type { Asked, Option } from '../section.js'
import { RINGS, type Ring } from '../setup.js'

export interface RatesOptions {
  readonly contenders: readonly Contender[]
  readonly rings: readonly Ring[]
  readonly frameBytes: number
  readonly burst: number
  readonly rounds: number
  readonly seconds: number
  readonly limitSeconds: number
  /** Measured time of the boundary to JavaScript, for each ring. */
  readonly boundarySeconds: number
  /** Who takes turns on other than split rings; undefined: all. */
  readonly onOtherRings: readonly string[] | undefined
}

const PRESETS = {
  smoke: { rounds: 1, seconds: 0.1, limitSeconds: Infinity, boundarySeconds: 0.5 },
  quick: { rounds: 3, seconds: 0.3, limitSeconds: 74, boundarySeconds: 1.5 },
  usual: { rounds: 5, seconds: 0.4, limitSeconds: 350, boundarySeconds: 6 },
  full: { rounds: 5, seconds: 0.5, limitSeconds: Infinity, boundarySeconds: 10 },
}

/** One of each kind. */
const SMOKE = 'testpmd-io,native-io,ts-io,vswitch-normal'

/** Who takes turns on other than split rings where nobody names contenders or rings: there is no time for all. */
const ON_OTHER_RINGS = {
  quick: ['testpmd-io', 'ts-io'],
  usual: ['testpmd-io', 'ts-io', 'ts-learning'],
  full: ['testpmd-io', 'native-io', 'ts-io', 'ts-learning', 'ovs-normal', 'vswitch-normal'],
}

/** What an lcore takes when nobody says otherwise. */
const USUAL_BURST = validateLaunchOptions().burst

export const OPTIONS: readonly Option[] = [
  {
    name: 'rings',
    value: 'A,B',
    what: `layouts of the virtqueues: ${RINGS.join(', ')} (default: split, and packed for some)`,
  },
  {
    name: 'rounds',
    value: 'N',
    what: `rounds in which each takes its turn (default: ${PRESETS.usual.rounds})`,
  },
  {
    name: 'seconds',
    value: 'N',
    what: `measured time of each turn (default: ${PRESETS.usual.seconds})`,
  },
  {
    name: 'frame-bytes',
    value: 'N',
    what: 'length of the frames without FCS, 60 to 1514 (default: 64)',
  },
  {
    name: 'burst',
    value: 'N',
    what: `most frames a switch takes at once, 1 to 256 (default: ${USUAL_BURST}, as in launch)`,
  },
]

/** @throws UsageError */
export function ratesOptions({ smoke, effort, only, options: values = {} }: Asked): RatesOptions {
  const preset = PRESETS[smoke ? 'smoke' : effort]
  return {
    ...preset,
    contenders:
      only === undefined && !smoke
        ? contendersOf(effort)
        : pickNamed('--only', only?.join(',') ?? SMOKE, CONTENDERS),
    onOtherRings:
      only === undefined && values.rings === undefined ? ON_OTHER_RINGS[effort] : undefined,
    rings: pick('--rings', values.rings ?? (smoke ? 'split' : 'split,packed'), RINGS),
    frameBytes: number('--frame-bytes', values['frame-bytes'], 64, 60, 1514),
    burst: number('--burst', values.burst, USUAL_BURST, 1, 256),
    rounds: number('--rounds', values.rounds, preset.rounds, 1, 1000),
    seconds: number('--seconds', values.seconds, preset.seconds, 0.1, 600, false),
  }
}
