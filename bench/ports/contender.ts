import { join } from 'node:path'
import type { Contender, RunningSwitch, Work } from '../contender.js'
import { Channel } from '../own/channel.js'
import { MANY_GUESTS_MS, OwnSwitch } from '../own/own-switch.js'
import type { Setup } from '../setup.js'

/** Most devices of a process: distributions build DPDK with 32. */
const GUESTS_OF_A_PROCESS = 30

/** Sockets of ports besides the active two. */
export function otherSockets(folder: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => join(folder, `idle${i}`))
}

/** A learning switch with that many ports, of which two are active. */
export function switchWithPorts(ports: number, guests: boolean): Contender {
  const idle = ports - 2
  const what = guests ? 'idle guests' : 'ports without a guest'
  return {
    name: idle === 0 ? '2 ports' : `${ports} ports, ${idle} ${what.replace('ports ', '')}`,
    what: `learningSwitch with an active pair and ${idle} ${what}`,
    load: 'pair',
    start: (setup) => new SwitchWithPorts(setup, otherSockets(setup.folder, idle), guests),
  }
}

class SwitchWithPorts implements RunningSwitch {
  readonly #switch: OwnSwitch
  readonly #guests: readonly Channel<never, { kind: 'started' }>[]
  readonly #started: Promise<unknown>

  constructor(setup: Setup, others: readonly string[], guests: boolean) {
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
  }

  begin(milliseconds: number): Promise<void> {
    return this.#switch.begin(milliseconds)
  }

  countCycles(): Promise<void> {
    return this.#switch.countCycles()
  }

  work(): Promise<Work> {
    return this.#switch.work()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [this.#switch, ...this.#guests]
    await Promise.all(all.map((one) => one[Symbol.asyncDispose]()))
  }
}
