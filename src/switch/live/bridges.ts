import type { FlowMeter, FlowRule, PortDirectory } from 'dpdk-vhost'
import type { FlowStatus } from 'dpdk-vhost/programs/flow-table/book'
import { SharedFlows } from 'dpdk-vhost/programs/flow-table/shared'
import { newBridgeMemory } from '../bridge/index.js'
import type { FlowsChange } from '../config/index.js'
import { NotFound } from '../control.js'
import { newGuardMemory } from '../guards/memory.js'
import { newMirrorCounters } from '../guards/mirror-counters.js'
import type { BridgeImage, BridgeMemory, LcoreMessage, SwitchImage } from '../image.js'
import type { AttachmentSpec, BridgeSpec, MirrorSpec } from '../spec.js'
import { isLost } from './lcores.js'

/** A program that decides in a bridge. */
export interface LoadedProgram {
  /** Absolute path. */
  readonly file: string
  readonly data: unknown
  /** Address of what was made of the file; the same for the same text. */
  readonly content: string
  /** Address of this loading of it. */
  readonly url: string
  /** Milliseconds since the epoch. */
  readonly loadedAt: number
}

/** A bridge as it is now. When something changes another one takes its place; the memory it points to lives on. */
export interface BridgeState {
  readonly spec: BridgeSpec
  readonly ports: ReadonlyMap<string, AttachmentSpec>
  readonly memory: BridgeMemory
  readonly guards: SharedArrayBuffer
  readonly mirrorCounters: ReadonlyMap<string, SharedArrayBuffer>
  readonly flows: SharedFlows | undefined
  readonly program: LoadedProgram | undefined
}

/** What the bridges need of the switch around them. */
export interface BridgeSurroundings {
  /** Tells all lcores. */
  tell(message: LcoreMessage): Promise<unknown>
  /** A rule went because its time was over. */
  onTimeout(bridge: string, rule: FlowStatus): void
}

/** Rule that a bridge which had none begins with: what it did without. As OVS's bridges begin. */
const NORMAL = 'priority=0,actions=normal'

/** The bridges of the switch. A change is in force on all lcores when its promise resolves, and on none when it rejects. */
export class Bridges {
  readonly #states = new Map<string, BridgeState>()
  readonly #surroundings: BridgeSurroundings
  #directory: PortDirectory = { ids: new Map(), names: new Map() }

  constructor(surroundings: BridgeSurroundings) {
    this.#surroundings = surroundings
  }

  get states(): ReadonlyMap<string, BridgeState> {
    return this.#states
  }

  /** @throws NotFound */
  get(name: string): BridgeState {
    const state = this.#states.get(name)
    if (state !== undefined) return state
    const names = [...this.#states.keys()].join(', ') || 'none'
    throw new NotFound(`no bridge is called '${name}'; there are ${names}`)
  }

  /** What an lcore is to know that starts now. */
  image(): SwitchImage {
    return { bridges: [...this.#states].map(([name, state]) => imageOf(name, state)) }
  }

  /** Adds a bridge without ports. @throws ConfigError for rules that cannot be */
  async add(spec: BridgeSpec, program?: LoadedProgram): Promise<void> {
    const memory = newBridgeMemory(spec.tableSize)
    const flows = spec.flows && this.#newFlows(spec, spec.flows)
    try {
      const guards = newGuardMemory()
      const mirrorCounters = countersOf(spec.mirrors)
      await this.#put({ spec, ports: new Map(), memory, guards, mirrorCounters, flows, program })
    } catch (error) {
      flows?.close()
      throw error
    }
  }

  /** Removes a bridge; its ports have to be gone. */
  async remove(name: string): Promise<void> {
    const { flows } = this.get(name)
    this.#states.delete(name)
    await this.#surroundings.tell({ type: 'removeBridge', name })
    flows?.close()
  }

  /** Puts other settings in place; flows, program and ports stay. A table of another size begins empty. */
  async configure(name: string, settings: Partial<BridgeSpec>): Promise<void> {
    const state = this.get(name)
    const spec = { ...state.spec, ...settings }
    const resized = spec.tableSize !== state.spec.tableSize
    const memory = resized ? newBridgeMemory(spec.tableSize) : state.memory
    const mirrorCounters = countersOf(spec.mirrors, state.mirrorCounters)
    await this.#put({ ...state, spec, memory, mirrorCounters })
  }

  /** Has ports take part, by their names, or in another way; lcores hear of all of them at once. */
  async attach(attachments: ReadonlyMap<string, AttachmentSpec>): Promise<void> {
    for (const { bridge } of attachments.values()) this.get(bridge)
    for (const [name, state] of this.#states) {
      const own = [...attachments].filter(([, { bridge }]) => bridge === name)
      if (own.length > 0) await this.#put({ ...state, ports: new Map([...state.ports, ...own]) })
    }
  }

  async detach(port: string, name: string): Promise<void> {
    const state = this.get(name)
    const ports = new Map(state.ports)
    ports.delete(port)
    await this.#put({ ...state, ports })
  }

  /**
   * Has another program decide; undefined: the flows again, or switching.
   *
   * @param ran - it decided before, so it is not taken back because of lcores that end or are stuck
   */
  async setProgram(name: string, program: LoadedProgram | undefined, ran = false): Promise<void> {
    await this.#put({ ...this.get(name), program }, ran)
  }

  /** The flows of a bridge; one that had none gets them. */
  async flowsOf(name: string): Promise<SharedFlows> {
    return this.get(name).flows ?? this.#giveFlows(name, [NORMAL])
  }

  /** Makes a change of the rules in the configuration; what was added by hand stays. */
  async changeFlows({ bridge, given, add, delete: gone }: FlowsChange): Promise<void> {
    const flows = this.get(bridge).flows
    if (flows === undefined) {
      if (given) await this.#giveFlows(bridge, add)
      return
    }
    // First what comes, so that no frame meets neither.
    await flows.add(...add)
    await Promise.all(gone.map((selection) => flows.delete(selection, { strict: true })))
    if (given || flows.size > 0) return
    await this.#put({ ...this.get(bridge), flows: undefined })
    flows.close()
  }

  async setMeters(name: string, meters: readonly FlowMeter[]): Promise<void> {
    const state = this.get(name)
    await state.flows?.setMeters(meters)
    this.#states.set(name, { ...state, spec: { ...state.spec, meters } })
  }

  /** Lets selections of rules know ports by name and by number. */
  portsChanged(directory: PortDirectory): void {
    this.#directory = directory
    for (const { flows } of this.#states.values()) flows?.portsChanged(directory)
  }

  close(): void {
    for (const { flows } of this.#states.values()) flows?.close()
  }

  async #giveFlows(name: string, rules: readonly (string | FlowRule)[]): Promise<SharedFlows> {
    const state = this.get(name)
    const flows = this.#newFlows(state.spec, rules)
    try {
      await this.#put({ ...state, flows })
    } catch (error) {
      flows.close()
      throw error
    }
    return flows
  }

  #newFlows({ name, meters }: BridgeSpec, rules: readonly (string | FlowRule)[]): SharedFlows {
    const flows: SharedFlows = new SharedFlows({
      rules,
      meters,
      deliver: async (message) => {
        const state = this.#states.get(name)
        // Lcores have no table while a program decides; they get one of that moment when it goes.
        if (state?.flows !== flows || state.program !== undefined) return
        await this.#surroundings.tell({ type: 'flows', bridge: name, message })
      },
      onRemoved: (rule) => this.#surroundings.onTimeout(name, rule),
    })
    flows.portsChanged(this.#directory)
    return flows
  }

  /**
   * Puts a state in place and tells lcores; what one of them refuses is taken back on all.
   *
   * @param ran - nothing of it is new to lcores
   */
  async #put(state: BridgeState, ran = false): Promise<void> {
    const { name } = state.spec
    const before = this.#states.get(name)
    // Before lcores are told: one that starts meanwhile is to know it too.
    this.#states.set(name, state)
    try {
      await this.#surroundings.tell({ type: 'bridge', image: updateOf(state, before) })
    } catch (error) {
      // An lcore that what was there before has ended, or got stuck, is not to start with that again.
      if (isLost(error) && (ran || !bringsCode(state, before))) return
      if (before === undefined) this.#states.delete(name)
      else this.#states.set(name, before)
      const back: LcoreMessage =
        before === undefined
          ? { type: 'removeBridge', name }
          : { type: 'bridge', image: imageOf(name, before) }
      // Whatever comes of it, the first error is the one to be told.
      await this.#surroundings.tell(back).catch(() => {})
      throw error
    }
  }
}

/** Whether lcores run something because of a state that they did not before, and could get stuck at. */
function bringsCode(state: BridgeState, before: BridgeState | undefined): boolean {
  if (state.program !== undefined) return state.program.url !== before?.program?.url
  return state.flows !== undefined && state.flows !== before?.flows
}

/** An image for lcores that have the one before: rules that they follow already are not sent again, as there may be very many. */
function updateOf(state: BridgeState, before: BridgeState | undefined): BridgeImage {
  const image = imageOf(state.spec.name, state)
  const followed =
    before?.flows === state.flows &&
    before?.memory === state.memory &&
    before?.program === undefined &&
    state.program === undefined
  if (!followed || state.flows === undefined) return image
  // Lcores look at a replica only where they are behind it.
  return { ...image, flows: { ...state.flows.replica(), update: -1, entries: [] } }
}

/** A mirror that was there under its name goes on counting. */
function countersOf(
  mirrors: readonly MirrorSpec[],
  before: ReadonlyMap<string, SharedArrayBuffer> = new Map(),
): ReadonlyMap<string, SharedArrayBuffer> {
  return new Map(mirrors.map(({ name }) => [name, before.get(name) ?? newMirrorCounters()]))
}

function imageOf(name: string, state: BridgeState): BridgeImage {
  const { spec, ports, memory, guards, mirrorCounters, flows, program } = state
  const { ageing, forwardBpdu, staticMacs, stormLimit, loopGuard, mirrors } = spec
  return {
    name,
    settings: { ageing, forwardBpdu, staticMacs, stormLimit, loopGuard, mirrors },
    ports: Object.fromEntries(ports),
    memory,
    guards,
    mirrorCounters,
    flows: program === undefined ? flows?.replica() : undefined,
    program: program && { url: program.url, data: program.data },
  }
}
