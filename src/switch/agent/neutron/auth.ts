import { NeutronError, noAnswer, refusal } from './error.js'

/** What lets us ask Neutron. */
export interface Auth {
  /** Headers of a request. */
  headers(signal: AbortSignal): Promise<Readonly<Record<string, string>>>
  /** URL of Neutron, if this knows it. */
  endpoint(signal: AbortSignal): Promise<string | undefined>
  /** Forgets a token that was refused; false: there is no other. */
  renew(): boolean
}

/** A token that was given, or none (`auth_strategy = noauth`). */
export class StaticToken implements Auth {
  constructor(readonly token?: string) {}

  async headers(): Promise<Readonly<Record<string, string>>> {
    return this.token === undefined ? {} : { 'x-auth-token': this.token }
  }

  async endpoint(): Promise<undefined> {
    return undefined
  }

  renew(): boolean {
    return false
  }
}

/** As the variables `OS_*` of OpenStack's clients say it. */
export interface KeystoneOptions {
  /** `http://controller:5000/v3` */
  readonly authUrl: string
  readonly username: string
  readonly password: string
  readonly userDomain: string
  readonly project: string
  readonly projectDomain: string
  /** Default: the first that has Neutron. */
  readonly region?: string | undefined
  /** `public`, `internal` or `admin`. */
  readonly interface: string
  readonly timeoutMs: number
}

/** How long before its end a token is renewed, in milliseconds. */
const RENEW_MS = 60_000

interface Endpoint {
  readonly interface: string
  readonly region_id?: string
  readonly region?: string
  readonly url: string
}

interface Token {
  readonly id: string
  readonly expires: number
  readonly endpoints: readonly Endpoint[]
}

/** A user and password at Keystone (Identity API v3, `POST /v3/auth/tokens`). */
export class Keystone implements Auth {
  readonly #options: KeystoneOptions
  #token: Token | undefined

  constructor(options: KeystoneOptions) {
    this.#options = options
  }

  async headers(signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    return { 'x-auth-token': (await this.#get(signal)).id }
  }

  async endpoint(signal: AbortSignal): Promise<string> {
    const { region, interface: wanted } = this.#options
    const { endpoints } = await this.#get(signal)
    const one = endpoints.find(
      (endpoint) =>
        endpoint.interface === wanted &&
        (region === undefined || (endpoint.region_id ?? endpoint.region) === region),
    )
    if (one !== undefined) return one.url
    const where = region === undefined ? '' : ` in region ${region}`
    const fix = 'give its URL: --neutron URL, or another OS_REGION_NAME or OS_INTERFACE'
    throw new NeutronError(`Keystone knows no ${wanted} endpoint of type network${where}; ${fix}`)
  }

  renew(): boolean {
    this.#token = undefined
    return true
  }

  async #get(signal: AbortSignal): Promise<Token> {
    if (this.#token === undefined || Date.now() > this.#token.expires - RENEW_MS) {
      this.#token = await this.#ask(signal)
    }
    return this.#token
  }

  async #ask(signal: AbortSignal): Promise<Token> {
    const { authUrl, username, password, userDomain, project, projectDomain, timeoutMs } =
      this.#options
    const user = { name: username, domain: { name: userDomain }, password }
    const body = {
      auth: {
        identity: { methods: ['password'], password: { user } },
        scope: { project: { name: project, domain: { name: projectDomain } } },
      },
    }
    const what = `Keystone at ${authUrl}`
    const url = `${authUrl.replace(/\/+$/, '').replace(/\/v3$/, '')}/v3/auth/tokens`
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    }
    try {
      const response = await fetch(url, request)
      const id = response.headers.get('x-subject-token')
      if (!response.ok) throw await refusal(what, response)
      const { token } = (await response.json()) as {
        token?: { expires_at?: string; catalog?: { type: string; endpoints: Endpoint[] }[] }
      }
      if (id === null || token === undefined) {
        throw new NeutronError(`${what}: its answer has no token; is OS_AUTH_URL that of Keystone?`)
      }
      const expires = Date.parse(token.expires_at ?? '')
      const network = token.catalog?.find(({ type }) => type === 'network')
      return {
        id,
        expires: Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires,
        endpoints: network?.endpoints ?? [],
      }
    } catch (error) {
      throw error instanceof NeutronError ? error : noAnswer(what, error)
    }
  }
}
