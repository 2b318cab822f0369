import type { Run } from './plan.js'
import type { Results } from './run.js'
import { median } from './statistics.js'

/** A core that lost more of its time than this was shared with something. */
const LOST = 0.01

/** Runs of the calibration loop that differ by more than this were not alone on their CPU. */
const UNSTEADY = 0.05

/** A switch that is idle for more of its time than this waits for the generator. */
const WAITING = 0.1

/** What a reader has to know before believing the numbers; empty when there is nothing to say. */
export function caveats({ runs, noise }: Results): string[] {
  const said: string[] = []
  const shaky = Math.max(...noise.calibration)
  if (shaky > UNSTEADY) {
    said.push(
      `noisy machine: the same work took up to ${percent(shaky)} longer at one time than at another`,
    )
  }
  const samples = runs.flatMap((run) => run.samples)
  const lost = samples.map((sample) => Math.max(sample.switchLost, sample.generatorLost))
  const disturbed = lost.filter((share) => share > LOST).length
  if (disturbed > 0) {
    said.push(
      `noisy machine: in ${disturbed} of ${samples.length} samples other processes took more than ` +
        `${percent(LOST)} of one of the two CPUs (at worst ${percent(Math.max(...lost))}); ` +
        `${noise.putAside} more were put aside for that`,
    )
  }
  const waiting = runs.filter((run) => median(run.samples.map(({ busy }) => busy)) < 1 - WAITING)
  if (waiting.length > 0) {
    said.push(
      `limited by the generator, so its rate says less than its cycles: ${waiting.map(title).join(', ')}`,
    )
  }
  const losing = runs.filter((run) => run.samples.some(({ dropped }) => dropped > 1024))
  if (losing.length > 0) said.push(`frames were lost: ${losing.map(title).join(', ')}`)
  return said
}

function title({ name, ring }: Run): string {
  return `${name} (${ring})`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`
}
