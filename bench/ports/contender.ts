import { join } from 'node:path'
import type { Contender, RunningSwitch, Work } from '../contender.js'
import { cpuSecondsOf } from '../footprint/proc.js'
import { Channel } from '../own/channel.js'
import { MANY_GUESTS_MS, OwnSwitch } from '../own/own-switch.js'
import type { Setup } from '../setup.js'

/** Most devices of a process: distributions build DPDK with 32. */
const GUESTS_OF_A_PROCESS = 30

/**
 * What the ports besides the active two have: nobody who listens, guests that are connected and send nothing, or
 * such guests whose processes were stopped, so that they take no time of a CPU.
 */
export type Idle = 'none' | 'guests' | 'stopped'

/** Sockets of ports besides the active two. */
export function otherSockets(folder: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => join(folder, `idle${i}`))
}

/** A learning switch with that many ports, of which two are active. */
export class ManyPorts implements Contender {
  readonly name: string
  readonly what: string
  readonly load = 'pair'
  readonly ports: number
  readonly idle: Idle
  /** CPUs that the guests used while cycles were counted, of each sample. */
  readonly guestCpus: number[] = []

  constructor(ports: number, idle: Idle) {
    const others = { none: 'without a guest', guests: 'idle guests', stopped: 'stopped guests' }
    this.ports = ports
    this.idle = idle
    this.name = ports === 2 ? '2 ports' : `${ports} ports, ${ports - 2} ${others[idle]}`
    this.what = 'learningSwitch with an active pair among ports that have nothing to do'
  }

  start(setup: Setup): RunningSwitch {
    const others = otherSockets(setup.folder, this.ports - 2)
    return new SwitchWithPorts(setup, others, this.idle, (cpus) => this.guestCpus.push(cpus))
  }
}

class SwitchWithPorts implements RunningSwitch {
  readonly #switch: OwnSwitch
  readonly #guests: readonly Channel<never, { kind: 'started' }>[]
  readonly #started: Promise<unknown>
  readonly #idle: Idle
  readonly #onGuestCpus: (cpus: number) => void
  #before = { at: 0, seconds: 0 }

  constructor(
    setup: Setup,
    others: readonly string[],
    idle: Idle,
    onGuestCpus: (cpus: number) => void,
  ) {
    this.#idle = idle
    this.#onGuestCpus = onGuestCpus
    const guests = idle !== 'none'
    this.#switch = new OwnSwitch(setup, 'ts-learning', { others, guests })
    const script = new URL('./guests-main.js', import.meta.url)
    const parts = Math.ceil(others.length / GUESTS_OF_A_PROCESS)
    this.#guests = Array.from({ length: guests ? parts : 0 }, (_, i) => {
      const mine = others.slice(i * GUESTS_OF_A_PROCESS, (i + 1) * GUESTS_OF_A_PROCESS)
      return new Channel(`guests${i}`, script, mine, setup.folder)
    })
    const all = this.#guests.map((guest) => guest.reply('started', MANY_GUESTS_MS))
    this.#started = Promise.all([this.#switch.started(), ...all])
    this.#started.catch(() => {})
  }

  get pid(): number {
    return this.#switch.pid
  }

  get failed(): Promise<never> {
    return this.#switch.failed
  }

  async started(): Promise<void> {
    await this.#started
    if (this.#idle !== 'stopped') return
    for (const { process } of this.#guests) process.child.kill('SIGSTOP')
  }

  begin(milliseconds: number): Promise<void> {
    return this.#switch.begin(milliseconds)
  }

  countCycles(): Promise<void> {
    this.#before = this.#guestTime()
    return this.#switch.countCycles()
  }

  work(): Promise<Work> {
    const { at, seconds } = this.#guestTime()
    this.#onGuestCpus((seconds - this.#before.seconds) / (at - this.#before.at))
    return this.#switch.work()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [this.#switch, ...this.#guests]
    await Promise.all(all.map((one) => one[Symbol.asyncDispose]()))
  }

  #guestTime(): { at: number; seconds: number } {
    const seconds = this.#guests.reduce((sum, { process }) => sum + cpuSecondsOf(process.pid), 0)
    return { at: performance.now() / 1000, seconds }
  }
}
