import { isDeepStrictEqual } from 'node:util'
import type { FlowTable, FlowTableOptions } from 'dpdk-vhost/programs/flow-table/program'
import type { Burst, PortDirectory, Program } from 'dpdk-vhost/programs/program'
import { Bridge, SEVERAL } from '../bridge/bridge.js'
import { isSameState } from '../bridge/state.js'
import { Guards } from '../guards/guards.js'
import type { BridgeImage, BridgeMemory } from '../image.js'
import type { AttachmentSpec } from '../spec.js'
import { makeUserProgram } from './user-program.js'

/** Bursts that what decides may throw on in a row; then it is put aside. Below the lcore's own patience, which is of all bridges. */
const TOO_MANY = 5

/** The user's program, and what it was made from. */
interface UserProgram {
  readonly url: string
  readonly data: unknown
  readonly program: Program
}

type MakeFlowTable = (options: FlowTableOptions) => FlowTable

/** One bridge on one lcore: guards, and between them what decides. */
export class Pipeline {
  readonly #lcore: number
  readonly #memory: BridgeMemory
  readonly #bridge: Bridge
  readonly #guards: Guards
  #image: BridgeImage | undefined
  #directory: PortDirectory
  #user: UserProgram | undefined
  #flows: FlowTable | undefined
  /** The user's program, the flows, or the bridge. */
  #decides: Program
  #inRow = 0
  #errors = 0
  #aside = false
  /** Its guards are in force. */
  #isGuarded = true

  /** Decides nothing yet: see {@link put}. */
  constructor({ memory, guards }: BridgeImage, lcore: number, all: PortDirectory) {
    this.#lcore = lcore
    this.#memory = memory
    this.#bridge = new Bridge(memory)
    this.#guards = new Guards(guards)
    this.#decides = this.#bridge
    this.#directory = all
  }

  /** What decides threw too often, and its frames are dropped. */
  get status(): { aside: boolean; errors: number } {
    return { aside: this.#isSilent(), errors: this.#errors }
  }

  /** Ids of the ports of the bridge. */
  get ports(): Iterable<number> {
    return this.#members().names.keys()
  }

  /** Whether the program wants turns when there are no frames. */
  get hasIdle(): boolean {
    return !this.#isSilent() && this.#decides.idle !== undefined
  }

  /** Whether this can go on with another image of the bridge. */
  fits({ memory }: BridgeImage): boolean {
    return isSameState(memory.state, this.#memory.state)
  }

  /**
   * Puts an image in force, all of it between two bursts. What decides stays the same where it is the same in both.
   *
   * @throws what importing the user's program throws; then the image before stays in force
   */
  async put(image: BridgeImage): Promise<void> {
    const flowTable = await flowTableFor(image)
    const user = await this.#userOf(image)
    // From here on nothing waits.
    try {
      this.#putAtOnce(image, user, flowTable)
    } catch (error) {
      if (user !== this.#user) closeProgram(user)
      throw error
    }
  }

  /** Passes updates of the rules on. Rules that do not decide come with the image that lets them. */
  followFlows(message: unknown): unknown {
    return this.#flows?.message(message)
  }

  /** @param all - the ports of the datapath */
  portsChanged(all: PortDirectory): void {
    this.#directory = all
    try {
      if (this.#image !== undefined) this.#guardMembers(this.#image)
    } catch {
      // Nobody hears of it here, and without its guards nothing is to pass.
      this.#errors++
      this.#isGuarded = false
    }
    this.#tellPorts()
  }

  burst(burst: Burst): void {
    if (this.#isSilent()) return
    try {
      this.#decide(burst)
      this.#inRow = 0
    } catch (error) {
      this.#note(burst)
      throw error
    }
  }

  /** A turn without frames. Whether it wants the next soon. */
  idle(burst: Burst): boolean {
    if (!this.hasIdle) return false
    const guards = this.#guards
    try {
      const passed = guards.active ? guards.ingress(burst) : burst
      const wants = this.#decides.idle?.(passed) !== false
      if (guards.active) guards.egress(burst)
      return wants
    } catch (error) {
      this.#note(burst)
      throw error
    }
  }

  close(): void {
    closeProgram(this.#user)
    this.#flows?.close()
  }

  /** A method, because V8 asks its runtime for a private getter at every use. */
  #isSilent(): boolean {
    return this.#aside || !this.#isGuarded
  }

  #decide(burst: Burst): void {
    const guards = this.#guards
    if (!guards.active) {
      this.#decides.burst(burst)
      return
    }
    const passed = guards.ingress(burst)
    if (passed.count > 0) this.#decides.burst(passed)
    const isBridged = passed === burst && this.#decides === this.#bridge
    guards.egress(burst, isBridged ? this.#bridge.onlyVerdict : SEVERAL)
  }

  #note(burst: Burst): void {
    burst.beforeFlush = undefined
    burst.dropAll()
    this.#errors++
    this.#inRow++
    if (this.#inRow >= TOO_MANY) this.#aside = true
  }

  async #userOf(image: BridgeImage): Promise<UserProgram | undefined> {
    const { program } = image
    if (program === undefined) return undefined
    const { url, data } = program
    const now = this.#user
    if (now?.url === url && isDeepStrictEqual(now.data, data)) return now
    const context = { ports: this.#members(image), lcore: this.#lcore, data }
    return { url, data, program: await makeUserProgram(url, context) }
  }

  #putAtOnce(
    image: BridgeImage,
    user: UserProgram | undefined,
    flowTable: MakeFlowTable | undefined,
  ): void {
    const flows = user === undefined ? this.#flowsOf(image, flowTable) : undefined
    this.#guardMembers(image)
    this.#bridge.configure(image.settings, image.ports)

    const before = { user: this.#user, flows: this.#flows, decides: this.#decides }
    this.#image = image
    this.#user = user
    this.#flows = flows
    this.#decides = user?.program ?? flows ?? this.#bridge
    if (this.#decides !== before.decides) {
      this.#inRow = 0
      this.#errors = 0
      this.#aside = false
    }
    this.#tellPorts()
    if (before.user !== user) closeProgram(before.user)
    if (before.flows !== flows) before.flows?.close()
  }

  /** The rules of an image; those that are there follow what they missed. They are of the bridge for as long as it has any. */
  #flowsOf({ flows }: BridgeImage, flowTable: MakeFlowTable | undefined): FlowTable | undefined {
    if (flows === undefined || flowTable === undefined) return undefined
    if (this.#flows === undefined)
      return flowTable({
        replica: flows as FlowTableOptions['replica'],
        normal: this.#bridge,
      })
    this.#flows.message({ type: 'follow', updates: [], replica: flows })
    return this.#flows
  }

  #guardMembers(image: BridgeImage): void {
    const { ids } = this.#members(image)
    const ports = new Map<number, AttachmentSpec>()
    for (const [name, id] of ids) ports.set(id, image.ports[name] as AttachmentSpec)
    this.#guards.configure(ports, ids, image.settings.mirrors, image.mirrorCounters)
    this.#isGuarded = true
  }

  #tellPorts(): void {
    const members = this.#members()
    this.#bridge.portsChanged(members)
    if (this.#decides === this.#bridge) return
    try {
      this.#decides.portsChanged?.(members)
    } catch {
      // It is asked between bursts, where nobody counts what it throws.
      this.#errors++
    }
  }

  /** Those ports of the datapath that are ports of the bridge. */
  #members(image = this.#image): PortDirectory {
    const ids = new Map<string, number>()
    const names = new Map<number, string>()
    for (const name of Object.keys(image?.ports ?? {})) {
      const id = this.#directory.ids.get(name)
      if (id === undefined) continue
      ids.set(name, id)
      names.set(id, name)
    }
    return { ids, names }
  }
}

/** Imported once a bridge has rules: half of what a Worker would load, and the guests of the others need not wait for it. */
async function flowTableFor({ flows, program }: BridgeImage): Promise<MakeFlowTable | undefined> {
  if (flows === undefined || program !== undefined) return undefined
  return (await import('dpdk-vhost/programs/flow-table/program')).flowTable
}

/** What it throws must not keep it: it has no more say. */
function closeProgram(user: UserProgram | undefined): void {
  try {
    user?.program.close?.()
  } catch (error) {
    console.error(`program ${user?.program.name ?? ''}: close threw:`, error)
  }
}
