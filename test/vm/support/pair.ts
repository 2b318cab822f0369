import type { PortOptions } from '../../../src/index.js'
import type { VirtualMachine } from '../../../src/testkit/index.js'
import { socketFolder } from '../../support/loopback.js'
import { portFor, type Shape, SLOW, startGuest } from './guests.js'

/** Two guests of one shape, `10.0.0.1` and `10.0.0.2`, and the ports that a switch needs for them. */
export class Pair implements AsyncDisposable {
  readonly ports: readonly PortOptions[]
  guests!: readonly [VirtualMachine, VirtualMachine]
  readonly #folder = socketFolder()
  readonly #shape: Shape
  readonly #started: VirtualMachine[] = []

  static async start(shape: Shape): Promise<Pair> {
    const pair = new Pair(shape)
    try {
      pair.guests = [await pair.#start(1), await pair.#start(2)]
      return pair
    } catch (error) {
      await pair[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(shape: Shape) {
    this.#shape = shape
    this.ports = [1, 2].map((number) => portFor(this.#folder.path, number, shape))
  }

  async ready(): Promise<void> {
    await Promise.all(this.guests.map((guest) => guest.ready(SLOW)))
  }

  /** Resolves when both see their link up, or down. */
  async links(up: boolean): Promise<void> {
    await Promise.all(this.guests.map((guest) => guest.waitForLink(up, SLOW)))
  }

  /** Another machine in the place of the first, which is gone. */
  async replaceFirst(): Promise<void> {
    this.guests = [await this.#start(1), this.guests[1]]
  }

  async #start(number: number): Promise<VirtualMachine> {
    const guest = await startGuest(this.#folder.path, number, this.#shape)
    this.#started.push(guest)
    return guest
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((guest) => guest.close()))
    this.#folder[Symbol.dispose]()
  }
}
