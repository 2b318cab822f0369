import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { type Calibration, Calibrator } from './calibration/calibrator.js'
import type { Cpus } from './setup.js'

/** How the machine was while a section was measured. */
export interface Conditions {
  /** Share of the time of the two CPUs that the host gave to other virtual machines. */
  readonly stolen: number
  /** CPUs' worth of work that other programs did meanwhile, on all CPUs together. */
  readonly others: number
  /** Processes that were ready to run over the last minute before it, as the kernel counts them. */
  readonly loadBefore: number
  /** The two CPUs before it and after it. */
  readonly calibrations: readonly [Calibration, Calibration]
}

/** Clock ticks a second of `/proc`, the same on every Linux that Node.js runs on. */
const TICKS = 100

/** Watches the machine from now on. No process of the bench may run at the beginning and at the end of it. */
export class ConditionsWatch {
  readonly #cpus: Cpus
  readonly #loadBefore = loadavg()[0] ?? 0
  readonly #before: Calibration
  readonly #machine = machineTicks()
  readonly #stolen: readonly [number, number]
  readonly #ours = ownTicks()
  readonly #begun = performance.now()

  private constructor(cpus: Cpus, before: Calibration) {
    this.#cpus = cpus
    this.#before = before
    this.#stolen = [stolenTicks(cpus.switch), stolenTicks(cpus.generator)]
  }

  static async start(cpus: Cpus): Promise<ConditionsWatch> {
    return new ConditionsWatch(cpus, await calibrate(cpus))
  }

  async end(): Promise<Conditions> {
    const seconds = (performance.now() - this.#begun) / 1000
    const { generator } = this.#cpus
    const stolen =
      stolenTicks(this.#cpus.switch) - this.#stolen[0] + stolenTicks(generator) - this.#stolen[1]
    const others = machineTicks() - this.#machine - (ownTicks() - this.#ours)
    return {
      stolen: stolen / TICKS / seconds / 2,
      others: Math.max(0, others / TICKS / seconds),
      loadBefore: this.#loadBefore,
      calibrations: [this.#before, await calibrate(this.#cpus)],
    }
  }
}

async function calibrate(cpus: Cpus): Promise<Calibration> {
  await using calibrator = new Calibrator(cpus.switch, cpus.generator)
  return await calibrator.run()
}

/** Ticks for which any CPU worked, whoever for. */
function machineTicks(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = cpuTicks('cpu')
  return user + nice + system + irq + softirq
}

function stolenTicks(cpu: number): number {
  return cpuTicks(`cpu${cpu}`)[7] ?? 0
}

/** user nice system idle iowait irq softirq steal */
function cpuTicks(name: string): number[] {
  const stat = readFileSync('/proc/stat', 'utf8')
  const line = stat.match(new RegExp(`^${name} (.*)$`, 'm'))?.[1] ?? ''
  return line.trim().split(/\s+/).map(Number)
}

/** Those of this process and of all it has started and that have ended. */
function ownTicks(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number)
  return utime + stime + cutime + cstime
}
