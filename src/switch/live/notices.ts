import { type BridgeNotice, NoticeReader } from '../bridge/index.js'
import type { BridgeMemory } from '../image.js'
import type { BridgeState } from './bridges.js'
import type { LivePort } from './ports.js'
import type { Reporter } from './reporter.js'

/** Writes down what bridges notice: addresses that move, and those that do so too often. */
export class Notices {
  readonly #reporter: Reporter
  readonly #readers = new WeakMap<BridgeMemory, NoticeReader>()

  constructor(reporter: Reporter) {
    this.#reporter = reporter
  }

  /** To be called a few times a second: there is not much room for notices. */
  read(bridges: ReadonlyMap<string, BridgeState>, ports: readonly LivePort[]): void {
    const names = new Map(ports.map(({ port }) => [port.id, port.name]))
    for (const [name, { memory }] of bridges) {
      const reader = this.#readers.get(memory) ?? new NoticeReader(memory)
      this.#readers.set(memory, reader)
      for (const notice of reader.read()) this.#write(name, notice, names)
    }
  }

  #write(bridge: string, notice: BridgeNotice, names: ReadonlyMap<number, string>): void {
    const { kind, mac, vlan } = notice
    const from = names.get(notice.from) ?? `#${notice.from}`
    const to = names.get(notice.to) ?? `#${notice.to}`
    const event = kind === 'move' ? 'mac_moved' : 'mac_held'
    const fields = { event, bridge, mac, vlan, from, to }
    const address = `bridge ${bridge}: ${mac}${vlan === 0 ? '' : ` of VLAN ${vlan}`}`
    if (kind === 'move')
      this.#reporter.write(
        'debug',
        `bridge ${bridge}`,
        `${address} moved from ${from} to ${to}`,
        fields,
      )
    else {
      const what = `${address} moves too often and is held on port ${from}; it appeared on ${to} as well: a loop, or somebody else's address`
      this.#reporter.write('warn', `bridge ${bridge}`, what, fields)
    }
  }
}
