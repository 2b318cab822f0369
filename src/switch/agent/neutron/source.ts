import type { Binding, BindingSource, BindingState, Bindings, Unusable } from '../binding.js'
import { neutronBinding } from '../port-options.js'
import type { NeutronClient } from './client.js'
import { NeutronError } from './error.js'

type Json = Readonly<Record<string, unknown>>

export interface NeutronSourceOptions {
  readonly client: NeutronClient
  /** `binding:host_id` of the ports that are ours. */
  readonly host: string
  /** Time between two polls, in milliseconds. */
  readonly pollMs: number
  /** Whether states are told as tags of ports. */
  readonly tags: boolean
}

/** Longest wait after errors, in milliseconds. */
const MAX_BACKOFF_MS = 60_000

/** How many ids fit into a URL. */
const IDS = 50

/** Tags that tell a port's state. */
const PLUGGED = 'vswitch-plugged'
const FAILED = 'vswitch-failed'

/** Ports of Neutron that are bound to this host as vhost-user. */
export class NeutronSource implements BindingSource {
  readonly name: string
  readonly #options: NeutronSourceOptions
  #known: Bindings | undefined
  #next = 0
  #backoffMs = 0
  #error: unknown

  constructor(options: NeutronSourceOptions) {
    this.#options = options
    this.name = `Neutron's ports of host ${options.host}`
  }

  async read(signal: AbortSignal): Promise<Bindings> {
    if (performance.now() < this.#next) {
      if (this.#known === undefined) throw this.#error
      return this.#known
    }
    try {
      this.#known = await this.#ask(signal)
      this.#backoffMs = 0
      this.#next = performance.now() + this.#options.pollMs
      return this.#known
    } catch (error) {
      this.#backoffMs = Math.min(MAX_BACKOFF_MS, 2 * this.#backoffMs || this.#options.pollMs)
      const asked = error instanceof NeutronError ? error.retryAfterMs : undefined
      this.#next = performance.now() + Math.max(asked ?? 0, this.#backoffMs)
      this.#error = error
      throw error
    }
  }

  async #ask(signal: AbortSignal): Promise<Bindings> {
    const { client, host } = this.#options
    const all = await client.list('ports', new URLSearchParams({ 'binding:host_id': host }), signal)
    // Not a filter of the API: "is invalid attribute for filter".
    const ours = all.filter((port) => port['binding:vif_type'] === 'vhostuser')
    const networks = await this.#byId(
      'networks',
      ours.map((port) => port.network_id),
      signal,
    )
    const policyOf = (port: Json) => port.qos_policy_id ?? port.qos_network_policy_id
    const policies = await this.#byId('qos/policies', ours.map(policyOf), signal)
    const ports: Binding[] = []
    const unusable: Unusable[] = []
    for (const port of ours) {
      const key = String(port.id)
      const network = networks.get(port.network_id)
      const policy = policies.get(policyOf(port))
      try {
        ports.push(neutronBinding(key, { port, network, qos_policy: policy }))
      } catch (error) {
        unusable.push({ key, error: (error as Error).message })
      }
    }
    return { ports, unusable }
  }

  async #byId(collection: string, ids: readonly unknown[], signal: AbortSignal) {
    const wanted = [...new Set(ids)].filter((id): id is string => typeof id === 'string')
    const found = new Map<unknown, Json>()
    for (let at = 0; at < wanted.length; at += IDS) {
      const query = new URLSearchParams()
      for (const id of wanted.slice(at, at + IDS)) query.append('id', id)
      for (const one of await this.#options.client.list(collection, query, signal)) {
        found.set(one.id, one)
      }
    }
    return found
  }

  /**
   * As tags of the port, which is all that the API lets anybody but Neutron itself write: `status` is read-only, and a change of
   * `binding:profile` has the port bound anew.
   */
  async report(states: readonly BindingState[], signal: AbortSignal): Promise<void> {
    if (!this.#options.tags) return
    for (const { key, state } of states) {
      const isFailed = ['failed', 'unusable', 'unknown'].includes(state)
      const [set, clear] = isFailed ? [FAILED, PLUGGED] : [PLUGGED, FAILED]
      await this.#options.client.request('PUT', `ports/${key}/tags/${set}`, signal)
      await this.#options.client
        .request('DELETE', `ports/${key}/tags/${clear}`, signal)
        .catch((error) => {
          if (error.status !== 404) throw error
        })
    }
  }
}
