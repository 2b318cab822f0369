import type { Calibration } from './calibration/calibrator.js'
import type { Conditions } from './conditions.js'
import type { Report } from './json-report.js'
import { counting } from './near.js'
import type { Run } from './plan.js'
import type { Results } from './run.js'
import { median } from './statistics.js'

/** A CPU that lost more of its time than this was shared with something. */
const LOST = 0.01

/** Work that takes that much longer at one time than at another was not alone. */
const SLOWER = 0.1

/** Cores that are shared for more than this share of the time are worth a word. */
const SHARED = 0.1

/** A switch that is idle for more of its time than this waits for the generator. */
const WAITING = 0.1

/** An upcall costs as much as a hundred frames. */
const UPCALLS = 0.001

/** What a reader has to know before believing the numbers; empty when there is nothing to say. */
export function caveats({ runs, noise }: Results, virtual: boolean): string[] {
  const said: string[] = []
  const samples = runs.flatMap((run) => run.samples)
  said.push(...slowed(noise.calibrations, ["switch's", "generator's"]))
  said.push(...farApart(runs, virtual))
  const windows = samples.flatMap((sample) => sample.windows ?? [])
  const shared = windows.filter((window) => window.shared).length / windows.length
  if (shared > SHARED) {
    said.push(
      `noisy: in ${percent(shared)} of the time somebody else ran on a core of the two CPUs`,
    )
  }
  const lost = samples.map((sample) => Math.max(sample.switchLost, sample.generatorLost))
  const disturbed = lost.filter((share) => share > LOST).length
  if (disturbed > 0) {
    said.push(
      `noisy: in ${disturbed} of ${samples.length} samples others had more than ${percent(LOST)} of a CPU, ` +
        `at worst ${percent(Math.max(...lost))}`,
    )
  }
  const waiting = runs.filter(
    (run) => median(counting(run.samples).map(({ busy }) => busy)) < 1 - WAITING,
  )
  if (waiting.length > 0) {
    said.push(
      `limited by the generator, so its rate says less than its cycles: ${waiting.map(title).join(', ')}`,
    )
  }
  const slow = runs.filter((run) => median(run.samples.map(({ upcalls = 0 }) => upcalls)) > UPCALLS)
  if (slow.length > 0) {
    said.push(`still made up flows while it was measured: ${slow.map(title).join(', ')}`)
  }
  const losing = runs.filter((run) => run.samples.some(({ dropped }) => dropped > 1024))
  if (losing.length > 0) said.push(`frames were lost: ${losing.map(title).join(', ')}`)
  return said
}

/** Samples in which the CPUs were far apart. */
function farApart(runs: readonly Run[], virtual: boolean): string[] {
  const samples = runs.flatMap((run) => run.samples)
  const far = samples.filter((sample) => sample.far)
  if (far.length === 0) return []
  const most = Math.max(...far.map(({ roundTrip }) => roundTrip))
  const least = Math.min(...samples.map(({ roundTrip }) => roundTrip))
  // The two did not run at the same time for long enough.
  const way = Number.isFinite(most) ? `${most.toFixed(0)} ns` : 'more ns than could be told'
  const only = runs.filter((run) => run.samples.every((sample) => sample.far))
  return [
    `in ${far.length} of ${samples.length} samples the two CPUs were far apart (a cache line took up to ${way} there and back` +
      ` instead of ${least.toFixed(0)}${virtual ? ': where the host runs them' : ''}), so these do not count`,
    ...(only.length === 0
      ? []
      : [
          `far apart in all samples, and so not to be compared with others: ${only.map(title).join(', ')}`,
        ]),
  ]
}

/** The host is felt when it takes more of the time of a CPU than this. */
const STOLEN = 0.005

/** Others are felt when they use more than this of a CPU. */
const OTHERS = 0.1

/** What a reader has to know of the machine and of the run as a whole. */
export function caveatsOf({ machine, settings, interrupted, sections }: Report): string[] {
  const said: string[] = []
  if (settings.smoke) said.push('a test of the bench itself: the numbers mean nothing')
  if (interrupted !== undefined)
    said.push(`interrupted (${interrupted}): not everything was measured`)
  for (const [name, { incomplete }] of Object.entries(sections)) {
    if (incomplete !== undefined && incomplete !== interrupted) said.push(`${name}: ${incomplete}`)
  }
  if (machine.virtual) {
    said.push('a virtual machine: where the host runs its CPUs, and who shares them, is not known')
  }
  const sharing = machine.siblings[0].includes(machine.generatorCpu)
  if (sharing)
    said.push('switch and load are two hardware threads of one core and slow each other down')
  if (machine.memory !== 'hugepages')
    said.push('no hugepages, for anybody: every switch pays for it')
  if (machine.governor !== undefined && machine.governor !== 'performance') {
    said.push(`the frequency governor is ${machine.governor}, so the CPUs may change their clock`)
  }
  const [ours, theirs] = machine.numaNodes ?? []
  if (ours !== theirs)
    said.push(`switch and load are on different memory nodes, ${ours} and ${theirs}`)
  if (machine.cpuQuota !== undefined && machine.cpuQuota < machine.cpus) {
    said.push(
      `the control group may use ${machine.cpuQuota} CPUs of ${machine.cpus}: whoever polls is halted now and then`,
    )
  }
  return [...said, ...noiseOf(sections)]
}

/** What else went on while the sections were measured. */
export function noiseOf(sections: Report['sections']): string[] {
  const felt = Object.entries(sections).flatMap(([name, { conditions }]) =>
    conditions === undefined ? [] : [{ name, ...conditions }],
  )
  return [
    ...worst(
      felt,
      'stolen',
      STOLEN,
      (share) => `noisy: the host took ${percent(share)} of both CPUs`,
    ),
    ...worst(
      felt,
      'others',
      OTHERS,
      (cpus) => `noisy: other programs used ${cpus.toFixed(1)} CPUs`,
    ),
    ...slowed(
      felt.flatMap(({ calibrations }) => calibrations),
      ["switch's", "load's"],
    ),
  ]
}

function worst(
  felt: readonly (Conditions & { readonly name: string })[],
  key: 'stolen' | 'others',
  limit: number,
  say: (value: number) => string,
): string[] {
  const over = felt.filter((one) => one[key] > limit).sort((a, b) => b[key] - a[key])
  if (over[0] === undefined) return []
  const more =
    over.length === 1
      ? ''
      : `, less during ${over
          .slice(1)
          .map(({ name }) => name)
          .join(', ')}`
  return [`${say(over[0][key])} during ${over[0].name}${more}`]
}

/** Says which CPU was slower at one time than at another. */
export function slowed(
  calibrations: readonly Calibration[],
  whose: readonly [string, string],
): string[] {
  return ([0, 1] as const).flatMap((side) => {
    const slower = growth(calibrations.map(({ work }) => work[side]))
    if (!(slower > SLOWER)) return []
    return `noisy: the ${whose[side]} CPU took up to ${percent(slower)} longer for the same work`
  })
}

/** How much the greatest exceeds the least, as a share. */
function growth(values: readonly number[]): number {
  if (values.length === 0) return 0
  return Math.max(...values) / Math.min(...values) - 1
}

function title({ name, ring }: Run): string {
  return `${name} (${ring})`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`
}
