import { join } from 'node:path'
import type { Contender, RunningSwitch, Work } from '../contender.js'
import { cpuSecondsOf } from '../footprint/proc.js'
import { OwnSwitch } from '../own/own-switch.js'
import type { Setup } from '../setup.js'
import { IdleGuests } from './guests.js'

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
  readonly #guests: IdleGuests
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
    this.#guests = new IdleGuests(guests ? others : [], setup.folder)
    this.#started = Promise.all([this.#switch.started(), this.#guests.started])
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
    if (this.#idle === 'stopped') this.#guests.stop()
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
    await this.#switch[Symbol.asyncDispose]()
    await this.#guests[Symbol.asyncDispose]()
  }

  #guestTime(): { at: number; seconds: number } {
    const seconds = this.#guests.pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0)
    return { at: performance.now() / 1000, seconds }
  }
}
