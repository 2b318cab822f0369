import { Bridge, newBridgeMemory } from '../../../src/switch/bridge/index.js'
import type { BridgeImage, BridgeMemory } from '../../../src/switch/image.js'
import type { AttachmentSpec } from '../../../src/switch/spec.js'
import { MadeUpBurst } from '../../support/made-up-burst.js'
import { settings } from '../images.js'

/** A bridge on an lcore of its own, and its ports, whose ids are their places. */
export class BridgeLcore {
  readonly bridge: Bridge
  readonly flow: MadeUpBurst
  readonly memory: BridgeMemory
  #names: string[]
  #attachments: Record<string, AttachmentSpec>
  #settings: BridgeImage['settings']

  constructor(
    ports: Readonly<Record<string, AttachmentSpec>>,
    given: Parameters<typeof settings>[0] = {},
    memory: BridgeMemory = newBridgeMemory(256),
  ) {
    this.memory = memory
    this.#names = Object.keys(ports)
    this.#attachments = { ...ports }
    this.#settings = settings(given)
    this.bridge = new Bridge(memory)
    this.flow = new MadeUpBurst(this.#names.length)
    this.#configure()
    this.setPorts(this.#names)
  }

  /** Names of the ports of the datapath by id; an empty one stands for none. */
  setPorts(names: readonly string[]): void {
    this.#names = [...names]
    const there = names.map((name, id) => [id, name] as const).filter(([, name]) => name !== '')
    this.bridge.portsChanged({
      names: new Map(there),
      ids: new Map(there.map(([id, name]) => [name, id])),
    })
  }

  attach(name: string, attachment: AttachmentSpec | undefined): void {
    if (attachment === undefined) delete this.#attachments[name]
    else this.#attachments[name] = attachment
    this.#configure()
  }

  set(given: Parameters<typeof settings>[0]): void {
    this.#settings = settings(given)
    this.#configure()
  }

  setReady(port: number, ready: boolean): void {
    this.flow.memory.isReady[port] = ready ? 1 : 0
  }

  /** What leaves, as `port:hex`. */
  run(port: number, ...frames: Uint8Array[]): string[] {
    this.bridge.burst(this.flow.receive(port, frames))
    return this.flow.sent()
  }

  /** Ids of the ports that get the frames. */
  reaches(port: number, ...frames: Uint8Array[]): number[] {
    return this.run(port, ...frames)
      .map((sent) => Number.parseInt(sent, 10))
      .sort((a, b) => a - b)
  }

  #configure(): void {
    this.bridge.configure(this.#settings, { ...this.#attachments })
  }
}
