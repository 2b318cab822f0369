import { type Burst, MAX_PORTS } from '../../burst/burst.js'
import type { PortDirectory } from '../program.js'
import type { PortReference } from './actions.js'

/**
 * The ports that rules can send to: those of the bridge. Until they are told, all ports of the datapath.
 */
export class Members {
  /** Ids of the members that are ready, in the first {@link readyCount} entries. */
  readonly ready = new Uint32Array(MAX_PORTS)
  readyCount = 0
  readonly #isMember = new Uint8Array(MAX_PORTS).fill(1)
  #ids: ReadonlyMap<string, number> | undefined
  #burst: Burst | undefined
  #epoch = 0

  portsChanged({ ids }: PortDirectory): void {
    this.#ids = new Map(ids)
    this.#isMember.fill(0)
    for (const id of ids.values()) this.#isMember[id] = 1
    this.#burst = undefined
  }

  /** Id of a port, -1 where there is none of that name or number. */
  portOf(port: PortReference): number {
    if (typeof port === 'string') return this.#ids?.get(port) ?? -1
    return this.#ids === undefined || this.#isMember[port] === 1 ? port : -1
  }

  /** Brings {@link ready} up to date; to be called once a burst. */
  follow(burst: Burst): void {
    const { readyEpoch } = burst
    if (this.#epoch === readyEpoch && this.#burst === burst) return
    this.#epoch = readyEpoch
    this.#burst = burst
    const { readyPorts, readyCount } = burst
    let count = 0
    for (let i = 0; i < readyCount; i++) {
      const port = readyPorts[i] as number
      if (this.#isMember[port] === 1) this.ready[count++] = port
    }
    this.readyCount = count
  }
}
