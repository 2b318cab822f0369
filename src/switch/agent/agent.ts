import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { AdminClient } from '../admin/client.js'
import { NoSwitchError, RefusedError } from '../admin/client-error.js'
import type { PortView } from '../control.js'
import type { SwitchLog } from '../live/log.js'
import type { Binding, BindingSource, BindingState, Bindings } from './binding.js'
import type { PortRecord, Records } from './records.js'

/** What of a switch the agent uses. */
export type AgentSwitch = Pick<AdminClient, 'ports' | 'portAdd' | 'portSet' | 'portDelete'>

export interface AgentParts {
  readonly source: BindingSource
  readonly client: AgentSwitch
  readonly records: Records
  readonly log: SwitchLog
  /** Time between two looks at the switch and the source, in milliseconds. */
  readonly intervalMs: number
}

/** How long what failed is left alone at most, in milliseconds: first an interval, then twice that, ... */
const MAX_BACKOFF_MS = 30_000

/** Keys of a port that follow from a binding; the others are whose who set them. */
const OWN_KEYS = [
  ...['bridge', 'path', 'queues', 'mtu', 'adminState', 'vlanMode', 'tag', 'trunks', 'portSecurity'],
  ...['ingressPolicingRate', 'ingressPolicingBurst', 'ingressPolicer', 'egressPolicer'],
  ...['ingressPolicingKpktsRate', 'ingressPolicingKpktsBurst'],
  ...['ingressPacketPolicer', 'egressPacketPolicer'],
]

interface Failure {
  readonly options: unknown
  readonly delayMs: number
  readonly until: number
}

/** Makes the ports of a switch what a source says: adds, changes and removes those that are its own. */
export class Agent {
  readonly #parts: AgentParts
  #bindings: Bindings | undefined
  /** Keys whose port was compared with the switch since the agent started. */
  readonly #compared = new Set<string>()
  readonly #failures = new Map<string, Failure>()
  readonly #reported = new Map<string, BindingState>()
  #said = new Map<string, string>()

  constructor(parts: AgentParts) {
    this.#parts = parts
  }

  /** Works until the signal. What is being done is finished first. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.step(signal)
      await sleep(this.#parts.intervalMs, undefined, { signal }).catch(() => {})
    }
  }

  /** Looks once, and does what is to be done. */
  async step(signal: AbortSignal): Promise<void> {
    const { source, client } = this.#parts
    try {
      this.#bindings = await source.read(signal)
      this.#say('source', 'info', `${source.name} is read`)
    } catch (error) {
      if (signal.aborted) return
      this.#say('source', 'error', `${source.name}: ${messageOf(error)}; ports stay as they are`)
    }
    if (this.#bindings === undefined) return
    let ports: PortView[]
    try {
      ports = await client.ports()
      this.#say('switch', 'info', 'the switch answers')
    } catch (error) {
      this.#say('switch', 'error', messageOf(error))
      // A switch that comes back may be another one.
      this.#compared.clear()
      const states = this.#parts.records.values()
      for (const record of states) await this.#note({ ...record, state: 'unknown' }, error)
      return
    }
    await this.#reconcile(this.#bindings, new Map(ports.map((port) => [port.name, port])))
    await this.#report(signal)
  }

  async #reconcile(bindings: Bindings, ports: Map<string, PortView>): Promise<void> {
    const { records } = this.#parts
    for (const { key, error } of bindings.unusable) await this.#unusable(key, error, ports)
    const kept = new Set(bindings.unusable.map(({ key }) => key))
    const wanted = new Map(bindings.ports.map((binding) => [binding.key, binding]))
    // First what goes: a name, or a path, may be needed again.
    for (const record of records.values()) {
      const binding = wanted.get(record.key)
      const isGone = binding === undefined ? !kept.has(record.key) : binding.name !== record.port
      if (isGone) await this.#try(record.key, undefined, () => this.#unplug(record, ports))
    }
    const names = new Map<string, string>()
    for (const binding of bindings.ports) {
      const other = names.get(binding.name)
      names.set(binding.name, other ?? binding.key)
      for (const warning of binding.warnings) {
        this.#say(`${binding.key} ${warning}`, 'warn', `port ${binding.name}: ${warning}`)
      }
      await this.#try(binding.key, binding.options, async () => {
        if (other !== undefined) {
          throw new Error(`the name ${binding.name} is that of ${other} too; remove one of them`)
        }
        await this.#plug(binding, ports.get(binding.name))
      })
    }
  }

  /** What fails is told in the state, and left alone for a while unless something else is wanted. */
  async #try(key: string, options: unknown, act: () => Promise<void>): Promise<void> {
    const { records, intervalMs } = this.#parts
    const before = this.#failures.get(key)
    if (before !== undefined && isDeepStrictEqual(before.options, options)) {
      if (performance.now() < before.until) return
    }
    try {
      await act()
      this.#failures.delete(key)
    } catch (error) {
      const delayMs = Math.min(MAX_BACKOFF_MS, 2 * (before?.delayMs ?? intervalMs / 2))
      this.#failures.set(key, { options, delayMs, until: performance.now() + delayMs })
      const record = records.get(key)
      const socket = (options as { path?: string } | undefined)?.path
      const name = (options as { name?: string } | undefined)?.name
      const state = error instanceof NoSwitchError ? 'unknown' : 'failed'
      this.#say(key, 'error', `${name ?? record?.port ?? key}: ${messageOf(error)}`)
      const other = { key, port: name ?? key, socket, since: '', state }
      await this.#note({ ...(record ?? other), state }, error).catch((again) =>
        this.#say(`${key} record`, 'error', `the state of ${key}: ${messageOf(again)}`),
      )
    }
  }

  async #plug(binding: Binding, port: PortView | undefined): Promise<void> {
    const { records } = this.#parts
    const record = records.get(binding.key)
    if (port === undefined) await this.#add(binding, record)
    else if (record?.options === undefined) await this.#adopt(binding, port)
    else if (port.type !== binding.options.type) {
      await this.#remove(record)
      await this.#add(binding, record)
    } else if (
      !this.#compared.has(binding.key) ||
      !isDeepStrictEqual(record.options, binding.options)
    ) {
      await this.#change(binding, record, port)
    } else await this.#note({ ...record, state: port.state }, port.status.reason)
    this.#compared.add(binding.key)
  }

  /** Recorded first: after a crash the port is known to be ours. Undone when what comes after fails. */
  async #add(binding: Binding, before: PortRecord | undefined): Promise<void> {
    const { client, records, log } = this.#parts
    const record = recordOf(binding, 'plugging')
    await records.put(record)
    try {
      const done = await this.#told(`add ${binding.name}`, binding.options, () =>
        client.portAdd(binding.options),
      )
      try {
        await records.put({ ...record, state: done.state })
      } catch (error) {
        await this.#told(`undo: delete ${binding.name}`, {}, () => client.portDelete(binding.name))
        throw error
      }
    } catch (error) {
      // It may have been added by a switch that went away before it could say so: then it is gone, or ours.
      if (error instanceof RefusedError) {
        const { options: _options, ...refused } = record
        await records.put({ ...refused, state: 'failed' })
      }
      throw error
    }
    log.info(`port ${binding.name}: ${before === undefined ? 'plugged' : 'put back'}`, {
      event: 'plugged',
      port: binding.name,
      key: binding.key,
    })
  }

  /** A port of the name that nothing is known of: ours if it is the same one, for state folders may be lost. */
  async #adopt(binding: Binding, port: PortView): Promise<void> {
    const { path, type } = binding.options
    if (port.path !== path || port.type !== type) {
      const fix = 'remove it from the switch, or give one of them another name'
      throw new Error(`a port ${port.name} is there already, with the socket ${port.path}; ${fix}`)
    }
    await this.#change(binding, undefined, port)
  }

  async #change(binding: Binding, before: PortRecord | undefined, port: PortView): Promise<void> {
    const { client, records } = this.#parts
    const set = (options: Binding['options']) => {
      const changes = changesTo(options)
      return this.#told(`set ${binding.name}`, changes, () => client.portSet(binding.name, changes))
    }
    const { port: now, remade } = await set(binding.options)
    if (remade) this.#parts.log.warn(`port ${binding.name}: made anew, its guest connects again`)
    try {
      await records.put({ ...recordOf(binding, now.state), ...sinceOf(before, port.state) })
    } catch (error) {
      if (before?.options !== undefined) await set(before.options)
      throw error
    }
  }

  async #unplug(record: PortRecord, ports: Map<string, PortView>): Promise<void> {
    if (record.options !== undefined && ports.has(record.port)) await this.#remove(record)
    ports.delete(record.port)
    await this.#parts.records.delete(record.key)
    this.#compared.delete(record.key)
    this.#parts.log.info(`port ${record.port}: unplugged`, { event: 'unplugged', ...record })
  }

  async #remove({ port }: PortRecord): Promise<void> {
    try {
      await this.#told(`delete ${port}`, {}, () => this.#parts.client.portDelete(port))
    } catch (error) {
      // Gone is gone.
      if (!(error instanceof RefusedError && error.status === 404)) throw error
    }
  }

  /** The port that was made of it before stays, and is watched. */
  async #unusable(key: string, error: string, ports: Map<string, PortView>): Promise<void> {
    const record = this.#parts.records.get(key)
    this.#say(key, 'error', `${key} cannot be used: ${error}`)
    const port = record?.options === undefined ? undefined : ports.get(record.port)
    // A switch that was started again has to have it back.
    if (record?.options !== undefined && port === undefined) {
      const binding = { key, name: record.port, options: record.options, warnings: [] }
      await this.#try(key, record.options, () => this.#add(binding, record))
      return
    }
    const other = { key, port: key, socket: undefined, since: '' }
    await this.#note({ ...(record ?? other), state: port?.state ?? 'unusable' }, error)
  }

  /** Writes the state of a binding if it is another than before. */
  async #note(next: PortRecord, error: unknown): Promise<void> {
    const { records } = this.#parts
    const before = records.get(next.key)
    const text = error === undefined ? undefined : messageOf(error)
    if (before !== undefined && before.state === next.state && before.error === text) return
    const { error: _error, ...plain } = next
    const since = { ...plain, ...sinceOf(before, next.state) }
    await records.put(text === undefined ? since : { ...since, error: text })
  }

  async #report(signal: AbortSignal): Promise<void> {
    const { source, records } = this.#parts
    const states = records.values().map(({ options: _options, ...state }) => state)
    const changed = states.filter((one) => !isDeepStrictEqual(this.#reported.get(one.key), one))
    if (changed.length === 0) return
    try {
      await source.report?.(changed, signal)
      for (const state of changed) this.#reported.set(state.key, state)
      this.#say('report', 'debug', 'states are reported')
    } catch (error) {
      // A port that works is not undone because nobody could be told.
      if (!signal.aborted) this.#say('report', 'warn', `states: ${messageOf(error)}`)
    }
  }

  /** Logs a command and its answer. */
  async #told<T>(what: string, options: object, act: () => Promise<T>): Promise<T> {
    const { log } = this.#parts
    log.info(`to the switch: ${what} ${JSON.stringify(options)}`, { event: 'command', options })
    try {
      const answer = await act()
      log.debug(`from the switch: ${what}: done`, { event: 'answer', answer })
      return answer
    } catch (error) {
      log.warn(`from the switch: ${what}: ${messageOf(error)}`, { event: 'answer' })
      throw error
    }
  }

  /** Logs what is not what was said of the same thing before. */
  #say(about: string, level: 'debug' | 'info' | 'warn' | 'error', text: string): void {
    if (this.#said.get(about) === text) return
    this.#said.set(about, text)
    this.#parts.log[level](text, { event: 'agent' })
  }
}

function recordOf({ key, name, options }: Binding, state: string): PortRecord {
  const socket = options.path as string
  return { key, port: name, socket, state, since: new Date().toISOString(), options }
}

function sinceOf(before: PortRecord | undefined, state: string): { since: string } {
  return { since: before?.state === state ? before.since : new Date().toISOString() }
}

/** What makes a port that of the options, whatever it was: what they do not say goes back to its default. */
function changesTo({
  name: _name,
  type: _type,
  ...options
}: Binding['options']): object & Record<string, unknown> {
  return { ...Object.fromEntries(OWN_KEYS.map((key) => [key, null])), ...options }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
