import type { RunningSwitch, Work } from '../contender.js'
import type { Setup } from '../setup.js'
import { cyclesPerSecond, interruptSeconds, interruptThread } from './cpu-time.js'
import type { Network } from './network.js'

/** What a kernel's switch has done at one time. */
interface Totals {
  readonly seconds: number
  readonly frames: number
  readonly dropped: number
}

/** What switches by the kernel have in common: interfaces that count, and a CPU on which it all happens. */
export abstract class KernelSwitch implements RunningSwitch {
  /** Of a thread that wants the same CPU. */
  readonly pid: number
  protected readonly network: Network
  protected readonly cpu: number
  readonly #interfaces: readonly string[]
  #before: Totals | undefined

  /** @param interfaces - at which frames enter and leave */
  protected constructor({ cpus, network }: Setup, interfaces: readonly string[]) {
    if (network === undefined) throw new Error('a switch of the kernel needs a network')
    this.network = network
    this.cpu = cpus.switch
    this.#interfaces = interfaces
    this.pid = interruptThread(this.cpu)
  }

  /** What has no process does not end by itself. */
  get failed(): Promise<never> {
    return new Promise(() => {})
  }

  abstract started(): Promise<void>

  async begin(): Promise<void> {}

  async countCycles(): Promise<void> {
    this.#before = await this.#totals()
  }

  async work(): Promise<Work> {
    const now = await this.#totals()
    const since = (key: keyof Totals) => now[key] - (this.#before?.[key] ?? 0)
    const perSecond = cyclesPerSecond()
    return {
      frames: since('frames'),
      busyCycles: since('seconds') * perSecond,
      cyclesPerSecond: perSecond,
      dropped: since('dropped'),
      burst: undefined,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Seconds of its CPU that went into forwarding. */
  protected busySeconds(): number {
    return interruptSeconds(this.cpu)
  }

  async #totals(): Promise<Totals> {
    const seconds = this.busySeconds()
    const all = await Promise.all(this.#interfaces.map((name) => this.network.counters(name)))
    const sum = (key: 'received' | 'dropped') => all.reduce((total, one) => total + one[key], 0)
    return { seconds, frames: sum('received'), dropped: sum('dropped') }
  }
}

/**
 * Has what comes in at an interface dealt with on one CPU: without this it would be the sender's, which is that of the
 * load.
 */
export async function receiveOn(network: Network, name: string, cpu: number): Promise<void> {
  const file = `/sys/class/net/${name}/queues/rx-0/rps_cpus`
  await network.run('sh', '-ec', `echo ${cpuMask(cpu)} > ${file}`)
}

/** A CPU as the kernel takes sets of them: hexadecimal, in groups of 32 bits. */
export function cpuMask(cpu: number): string {
  const groups = Array<string>(cpu >> 5).fill('00000000')
  return [((1 << (cpu & 31)) >>> 0).toString(16), ...groups].join(',')
}
