import assert from 'node:assert/strict'
import { newVif, type Vif } from '../../../src/vif/index.js'
import { LibvirtGuest } from './guest.js'
import type { Libvirt } from './libvirt.js'
import type { Machine } from './machine.js'

const ID = '-2a64-4b5e-9a7e-1f1d2c3b4a59'

/** The port of a guest, as OVS names it. */
export function vifOf(number: number, qemuMode: Vif['qemuMode'], folder: string): Vif {
  const id = `c9f9a3a${number}${ID}`
  const socket = `${folder}/vhu${id.slice(0, 11)}`
  const mac = `fa:16:3e:00:00:0${number}`
  return newVif({ id, mac, socket, qemuMode, plug: 'ovs', bridge: 'br-int' })
}

/** Two guests, `10.0.0.1` and `10.0.0.2`. */
export class GuestPair implements AsyncDisposable {
  readonly guests: LibvirtGuest[] = []

  static async define(
    machine: Machine,
    libvirt: Libvirt,
    vifs: readonly Vif[],
  ): Promise<GuestPair> {
    const pair = new GuestPair()
    for (const [i, vif] of vifs.entries()) {
      pair.guests.push(await LibvirtGuest.define(machine, libvirt, vif, i + 1))
    }
    return pair
  }

  /** Starts them and waits until they have booted. */
  async start(): Promise<void> {
    for (const guest of this.guests) guest.start()
    await this.ready()
  }

  /** To be said before somebody else starts them anew. */
  restarts(): void {
    for (const guest of this.guests) guest.restarts()
  }

  async ready(): Promise<void> {
    await Promise.all(this.guests.map((guest) => guest.ready()))
  }

  async assertPing(when: string): Promise<void> {
    assert.equal(await this.#ping(10), 5, when)
  }

  async assertNoPing(when: string): Promise<void> {
    assert.equal(await this.#ping(1), 0, when)
  }

  #ping(waitS: number): Promise<number> {
    const [one, other] = this.guests as [LibvirtGuest, LibvirtGuest]
    return one.reaches(other, waitS)
  }

  bootIds(): Promise<string[]> {
    return Promise.all(this.guests.map((guest) => guest.bootId()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.guests.map((guest) => guest[Symbol.asyncDispose]()))
  }
}
