import { type Calibration, Calibrator } from '../calibration/calibrator.js'
import type { Memory } from '../memory.js'
import { waitUntilQuiet } from '../quiet.js'
import type { Cpus } from '../setup.js'
import { StatusLine } from '../status-line.js'
import type { Contender } from './contender.js'
import { type Sample, takeSample } from './measure.js'

export interface ReconnectOptions {
  readonly contenders: readonly Contender[]
  readonly rounds: number
  readonly rate: number
  readonly patienceSeconds: number
  readonly cpus: Cpus
  readonly memory: Memory
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
 * @throws the signal's reason when it is aborted
 */
export async function runReconnect(
  { contenders, rounds, rate, patienceSeconds, cpus, memory }: ReconnectOptions,
  status: StatusLine,
  signal: AbortSignal,
): Promise<Results> {
  const runs = contenders.map(({ name }): Run => ({ name, samples: [] }))
  const calibrations: Calibration[] = []
  const total = rounds * contenders.length
  const begun = performance.now()
  await using calibrator = new Calibrator(cpus.switch, cpus.generator)
  for (let done = 0; done < total; done++) {
    const round = Math.floor(done / contenders.length)
    const contender = contenders[done % contenders.length] as Contender
    const each = done === 0 ? undefined : (performance.now() - begun) / 1000 / done
    const where = StatusLine.where(done, total, each && each * (total - done))
    status.show(`${where} round ${round + 1}: ${contender.name}`)
    await waitUntilQuiet([cpus.switch, cpus.generator], patienceSeconds, signal)
    calibrations.push(await calibrator.run())
    const take = () => takeSample(contender, { cpus, memory }, rate, round, signal)
    // A process that did not start in time on a busy machine is not the end of the bench.
    const sample = await take().catch((error: Error) => {
      if (signal.aborted) throw error
      status.say(`${contender.name} failed and is tried again: ${error.message}`)
      return take()
    })
    runs[done % contenders.length]?.samples.push(sample)
    status.done(describe(sample))
  }
  return { runs, calibrations }
}

function describe({ switchGapMs, guestGapMs, reconnectMs }: Sample): string {
  const [a, b, of] = [switchGapMs, guestGapMs, reconnectMs].map((ms) => ms.toFixed(0))
  return `switch restarted: ${a} ms; guest restarted: ${b} ms, ${of} of them after it listened`
}
