import { number, one, pickNamed } from '../arguments.js'
import { CONTENDERS, type Contender } from '../contender.js'
import type { Asked, Option } from '../section.js'
import { RINGS } from '../setup.js'
import { LEAST_FRAME_BYTES } from '../tester/tester.js'
import type { Rules } from './result.js'

export interface Rfc2544Options extends Rules {
  readonly contenders: readonly Contender[]
  /** No round is begun that would end later than this: on a machine that is never quiet, trials take up to three times as long. */
  readonly limitSeconds: number
}

/** The tester's frames are those of two hosts, so contenders for other loads are left out. */
export const PAIR = CONTENDERS.filter(({ load }) => load === 'pair')

const FEW = ['testpmd-io', 'ts-io', 'vswitch-normal']
const MORE = ['testpmd-io', 'native-io', 'ts-io', 'ts-learning', 'ovs-normal', 'vswitch-normal']

const PRESETS = {
  smoke: {
    names: ['ts-io'],
    rounds: 1,
    trialMs: 25,
    trials: 1,
    resolution: 0.5,
    latencyMs: 50,
    shortSlices: 5,
    sideSeconds: 1,
  },
  quick: {
    names: FEW,
    rounds: 1,
    trialMs: 100,
    trials: 1,
    resolution: 0.05,
    latencyMs: 200,
    shortSlices: 100,
    sideSeconds: 0,
  },
  usual: {
    names: MORE,
    rounds: 2,
    trialMs: 150,
    trials: 3,
    resolution: 0.03,
    latencyMs: 500,
    shortSlices: 100,
    sideSeconds: 0,
  },
  full: {
    names: MORE,
    rounds: 5,
    trialMs: 150,
    trials: 3,
    resolution: 0.02,
    latencyMs: 500,
    shortSlices: 0,
    sideSeconds: 45,
  },
}

/** What `--full` gives it. */
const FULL_SECONDS = 480

export const OPTIONS: readonly Option[] = [
  {
    name: 'ring',
    value: 'A',
    what: `layout of the virtqueues: ${RINGS.join(', ')} (default: split)`,
  },
  {
    name: 'frame-bytes',
    value: 'N',
    what: `length of the frames without FCS, ${LEAST_FRAME_BYTES} to 1514 (default: 64)`,
  },
  {
    name: 'rounds',
    value: 'N',
    what: `rounds in which each takes its turn (default: ${PRESETS.usual.rounds})`,
  },
  {
    name: 'trial-ms',
    value: 'N',
    what: `time in which a trial of the search offers frames (default: ${PRESETS.usual.trialMs})`,
  },
]

/** @throws UsageError */
export function rfc2544Options({
  smoke,
  effort,
  only,
  options: values = {},
}: Asked): Rfc2544Options {
  const { names, ...preset } = PRESETS[smoke ? 'smoke' : effort]
  const contenders = only
    ? pickNamed('--only', only.join(','), PAIR)
    : PAIR.filter(({ name }) => names.includes(name))
  const limit = FULL_SECONDS - sideBySideSeconds(preset, contenders)
  return {
    ...preset,
    contenders,
    limitSeconds: effort === 'full' && values.rounds === undefined ? limit : Infinity,
    ring: one('--ring', values.ring ?? 'split', RINGS),
    frameBytes: number('--frame-bytes', values['frame-bytes'], 64, LEAST_FRAME_BYTES, 1514),
    rounds: number('--rounds', values.rounds, preset.rounds, 1, 1000),
    trialMs: number('--trial-ms', values['trial-ms'], preset.trialMs, 10, 60_000),
  }
}

/** What a short slice takes, with what is around it. */
const SHORT_SLICE_MS = 5

/** To start a switch and its tester. */
const START_SECONDS = 2.5

/** What it takes to have all side by side. */
export function sideBySideSeconds(
  { sideSeconds = 0 }: Pick<Rules, 'sideSeconds'>,
  contenders: readonly Contender[],
): number {
  return sideSeconds === 0 ? 0 : sideSeconds + START_SECONDS * contenders.length
}

/** What a turn takes: processes start, about nine rates are tried, latency is measured at four; some parts twice. */
export function turnSeconds({ trialMs, trials, latencyMs, shortSlices = 0 }: Rules): number {
  const search = 9 * trialMs * ((trials + 1) / 2)
  return 3 + (1.5 * (search + 4 * latencyMs) + SHORT_SLICE_MS * shortSlices) / 1000
}
