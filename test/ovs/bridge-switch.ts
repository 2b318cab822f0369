import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../../src/switch/config/index.js'
import { Switch } from '../../src/switch/live/switch.js'
import type { VlanMode } from '../../src/switch/spec.js'
import { type Accounts, socketOf } from './guests.js'
import type { OwnSide } from './pair.js'
import type { PortColumns, Refusal } from './switches.js'

/** How a port takes part in a bridge. */
export interface PortKind {
  readonly vlanMode?: VlanMode
  readonly tag?: number
  readonly trunks?: readonly number[]
}

/** A mirror, by numbers of ports; of all that it selects where it names none. */
export interface Mirroring {
  readonly src?: readonly number[]
  readonly dst?: readonly number[]
  readonly selectVlan?: readonly number[]
  readonly port?: number
  readonly outputVlan?: number
  readonly snaplen?: number
}

/** The same in OVS's words. */
export function columnsOf({ vlanMode, tag, trunks = [] }: PortKind): PortColumns {
  return [
    ...(vlanMode === undefined ? [] : [`vlan_mode=${vlanMode}`]),
    ...(tag === undefined ? [] : [`tag=${tag}`]),
    ...(trunks.length === 0 ? [] : [`trunks=${trunks.join(',')}`]),
  ]
}

/** What is answered by name. */
const name = (port: number | string) => `vhost${port}`

/** Polls after which all that was taken before them has been sent. */
const POLLS = 3

/** `vswitch` in this process, between the sockets of a folder: it follows a file, and counts its frames. */
export class BridgeSwitch implements OwnSide {
  readonly #folder: string
  #kinds: readonly PortKind[]
  #rules: readonly string[] | undefined
  #mirrors: readonly Mirroring[] = []
  #running: Switch | undefined

  private constructor(folder: string, kinds: readonly PortKind[]) {
    this.#folder = folder
    this.#kinds = kinds
  }

  static async start(folder: string, kinds: readonly PortKind[]): Promise<BridgeSwitch> {
    const self = new BridgeSwitch(folder, kinds)
    self.#write()
    const config = self.#file
    const read = () => readConfig(config)
    const silent = () => {}
    const log = { debug: silent, info: silent, warn: silent, error: silent }
    self.#running = await Switch.start(await read(), { config, read, log })
    return self
  }

  /** Lets rules decide, or, without any given, the bridge. */
  async setRules(rules: readonly string[] | undefined): Promise<Refusal[]> {
    this.#rules = rules?.map((rule) =>
      rule.replaceAll(/\b(in_port=|output:)(\d+)/g, (_, word, port) => word + name(port)),
    )
    await this.#reload()
    return []
  }

  async setPorts(kinds: readonly PortKind[]): Promise<void> {
    this.#kinds = kinds
    await this.#reload()
  }

  async setMirrors(mirrors: readonly Mirroring[]): Promise<void> {
    this.#mirrors = mirrors
    await this.#reload()
  }

  /** Forgets the addresses learnt. */
  flush(): void {
    this.#switch.macFlush('br0')
  }

  readonly accounts: Accounts = {
    frames: () => {
      const { ports } = this.#switch.stats()
      const counters = this.#kinds.map((_, i) => {
        const port = ports[name(i)]
        if (port === undefined) throw new Error(`there is no port ${name(i)}`)
        return port
      })
      return {
        taken: counters.reduce((sum, { rx }) => sum + rx.frames, 0),
        given: counters.map(({ tx }) => tx.frames),
      }
    },
    settled: async () => {
      const from = await this.#polls()
      while ((await this.#polls()) < from + POLLS) await sleep(1)
    },
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.close()
  }

  get #file(): string {
    return join(this.#folder, 'vswitch.json')
  }

  get #switch(): Switch {
    if (this.#running === undefined) throw new Error('it did not start')
    return this.#running
  }

  async #polls(): Promise<number> {
    const [lcore] = await this.#switch.lcores()
    if (lcore === undefined) throw new Error('the lcore has ended')
    return lcore.counters.polls
  }

  async #reload(): Promise<void> {
    this.#write()
    const { pending } = await this.#switch.reload()
    if (pending.length > 0) throw new Error(pending.join('\n'))
  }

  #write(): void {
    const config = {
      datapath: { memory: 'memfd', memoryMiB: 64 },
      admin: { socket: join(this.#folder, 'admin.sock') },
      lcores: [{ name: 'lcore0', maxSleepMs: 1 }],
      bridges: [
        {
          name: 'br0',
          ...(this.#rules === undefined ? {} : { flows: this.#rules }),
          mirrors: this.#mirrors.map(({ src, dst, port, ...rest }, i) => ({
            name: `m${i}`,
            selectAll: src === undefined && dst === undefined,
            ...(src === undefined ? {} : { selectSrcPort: src.map(name) }),
            ...(dst === undefined ? {} : { selectDstPort: dst.map(name) }),
            ...(port === undefined ? {} : { outputPort: name(port) }),
            ...rest,
          })),
          // Tests let addresses move as often as they like.
          loopGuard: { moves: 1000, withinMs: 10, holdMs: 10 },
        },
      ],
      ports: this.#kinds.map((kind, i) => {
        const path = socketOf(this.#folder, i)
        return { name: name(i), type: 'dpdkvhostuserclient', path, ...kind }
      }),
    }
    writeFileSync(this.#file, JSON.stringify(config))
  }
}
