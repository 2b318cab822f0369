import { type Calibration, Calibrator } from '../calibration/calibrator.js'
import type { Memory } from '../memory.js'
import { waitUntilQuiet } from '../quiet.js'
import type { Context } from '../section.js'
import type { Cpus } from '../setup.js'
import { Turns } from '../twice.js'
import type { Contender } from './contender.js'
import { type Sample, takeSample } from './measure.js'

export interface ReconnectRun {
  readonly contenders: readonly Contender[]
  readonly rounds: number
  readonly rate: number
  readonly patienceSeconds: number
  readonly cpus: Cpus
  readonly memory: Memory
  readonly signal: AbortSignal
}

/** All samples of one contender; entry `r` was taken in round `r`. */
export interface Run {
  readonly name: string
  readonly samples: Sample[]
}

export interface Results {
  readonly runs: readonly Run[]
  /** The two CPUs before each sample. */
  readonly calibrations: readonly Calibration[]
}

/**
 * In each round every contender has its turn, with guests of its own, so that what drifts with time meets all alike.
 *
 * @param keep - hears of the results after each round
 * @throws the signal's reason when it is aborted
 */
export async function runReconnect(
  { contenders, rounds, rate, patienceSeconds, cpus, memory, signal }: ReconnectRun,
  { progress, say, lose }: Pick<Context, 'progress' | 'say' | 'lose'>,
  keep: (results: Results) => void,
): Promise<Results> {
  const runs = contenders.map(({ name }): Run => ({ name, samples: [] }))
  const calibrations: Calibration[] = []
  const results = () => ({ runs: runs.filter(({ samples }) => samples.length > 0), calibrations })
  const attempts = new Turns({ signal, say, lose })
  const total = rounds * contenders.length
  await using calibrator = new Calibrator(cpus.switch, cpus.generator)
  for (let round = 0; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      progress(`round ${round + 1}: ${contender.name}`, (round * contenders.length + i) / total)
      await waitUntilQuiet([cpus.switch, cpus.generator], patienceSeconds, signal)
      calibrations.push(await calibrator.run())
      const take = () => takeSample(contender, { cpus, memory }, rate, round, signal)
      const sample = await attempts.take(contender.name, take)
      if (sample !== undefined) runs[i]?.samples.push(sample)
    }
    keep(results())
  }
  return results()
}
