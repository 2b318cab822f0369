import type { Auth } from './auth.js'
import { NeutronError, noAnswer, refusal } from './error.js'

/** Ports of a page. A server may give fewer (`pagination_max_limit`). */
const PAGE = 500

type Json = Readonly<Record<string, unknown>>

export interface NeutronClientOptions {
  /** URL of Neutron. Default: what {@link Auth} knows. */
  readonly url?: string | undefined
  readonly auth: Auth
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number
}

/** Neutron's API v2.0, by HTTP. All methods reject with {@link NeutronError}. */
export class NeutronClient {
  readonly #options: NeutronClientOptions

  constructor(options: NeutronClientOptions) {
    this.#options = options
  }

  /**
   * All of a collection, page by page.
   *
   * @param collection - such as `ports`, or `qos/policies`, whose answer is called `policies`
   */
  async list(collection: string, query: URLSearchParams, signal: AbortSignal): Promise<Json[]> {
    const name = collection.slice(collection.lastIndexOf('/') + 1)
    const all: Json[] = []
    const seen = new Set<string>()
    for (let marker: string | undefined; ; ) {
      const page = new URLSearchParams(query)
      page.set('limit', String(PAGE))
      if (marker !== undefined) page.set('marker', marker)
      const answer = (await this.request('GET', `${collection}?${page}`, signal)) as Json
      const items = answer?.[name]
      if (!Array.isArray(items)) throw new NeutronError(`Neutron: its answer has no ${name}`)
      all.push(...(items as Json[]))
      const links = answer[`${name}_links`] as { rel: string }[] | undefined
      const last = (items.at(-1) as Json | undefined)?.id
      const hasNext = links?.some(({ rel }) => rel === 'next') ?? items.length === PAGE
      if (!hasNext || typeof last !== 'string' || seen.has(last)) return all
      seen.add(last)
      marker = last
    }
  }

  /** One request; its answer as JSON. A token that was refused is renewed once. */
  async request(method: 'GET' | 'PUT' | 'DELETE', path: string, signal: AbortSignal) {
    const { auth } = this.#options
    try {
      return await this.#ask(method, path, signal)
    } catch (error) {
      const isOld = error instanceof NeutronError && error.status === 401
      if (!isOld || !auth.renew()) throw error
      return await this.#ask(method, path, signal)
    }
  }

  async #ask(method: string, path: string, signal: AbortSignal): Promise<unknown> {
    const { auth, url, timeoutMs } = this.#options
    const base = url ?? (await auth.endpoint(signal)) ?? ''
    const headers = await auth.headers(signal)
    const what = `Neutron at ${base}`
    const root = base.replace(/\/+$/, '').replace(/\/v2\.0$/, '')
    const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    try {
      const response = await fetch(`${root}/v2.0/${path}`, { method, headers, signal: limited })
      if (!response.ok) throw await refusal(`${what}: ${method} ${path}`, response)
      const text = await response.text()
      return text === '' ? undefined : JSON.parse(text)
    } catch (error) {
      throw error instanceof NeutronError ? error : noAnswer(what, error)
    }
  }
}
