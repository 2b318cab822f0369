import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import type { SwitchControl } from '../control.js'
import { NoSwitchError, RefusedError } from './client-error.js'

/** The methods of a {@link SwitchControl} somewhere else: each answers later. */
export type Remote<T> = {
  [Name in keyof T]: T[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never
}

type Query = Readonly<Record<string, string | boolean | undefined>>

/**
 * A running switch, by its admin socket. Needs nothing but Node.js, so a command starts at once.
 *
 * All methods reject with {@link RefusedError} when the switch refuses, {@link NoSwitchError} when there is none.
 */
export class AdminClient implements Remote<Omit<SwitchControl, 'metrics'>> {
  constructor(
    /** Path of the admin socket. */
    readonly socket: string,
    /** How long an answer may take, in milliseconds. */
    readonly timeoutMs = 60_000,
  ) {}

  show: Remote<SwitchControl>['show'] = () => this.#json('GET', '/v1/show')

  ports: Remote<SwitchControl>['ports'] = () => this.#json('GET', '/v1/ports')

  lcores: Remote<SwitchControl>['lcores'] = () => this.#json('GET', '/v1/lcores')

  stats: Remote<SwitchControl>['stats'] = () => this.#json('GET', '/v1/stats')

  mac: Remote<SwitchControl>['mac'] = (bridge) => this.#json('GET', at(bridge, 'mac'))

  macFlush: Remote<SwitchControl>['macFlush'] = async (bridge) =>
    (await this.#json<{ flushed: number }>('DELETE', at(bridge, 'mac'))).flushed

  flows: Remote<SwitchControl>['flows'] = (bridge, selection) =>
    this.#json('GET', at(bridge, 'flows', { selection }))

  flowsLabelled: Remote<SwitchControl>['flowsLabelled'] = (bridge) =>
    this.#json('GET', at(bridge, 'flows/labelled'))

  flowsExplain: Remote<SwitchControl>['flowsExplain'] = (bridge) =>
    this.#json('GET', at(bridge, 'flows/explain'))

  flowAdd: Remote<SwitchControl>['flowAdd'] = (bridge, rules) =>
    this.#json('POST', at(bridge, 'flows'), { rules })

  flowModify: Remote<SwitchControl>['flowModify'] = async (bridge, rule, strict) => {
    const path = at(bridge, 'flows', { strict })
    return (await this.#json<{ modified: number }>('PATCH', path, { rule })).modified
  }

  flowDelete: Remote<SwitchControl>['flowDelete'] = async (bridge, selection, strict) => {
    const path = at(bridge, 'flows', { selection, strict })
    return (await this.#json<{ deleted: number }>('DELETE', path)).deleted
  }

  flowReplace: Remote<SwitchControl>['flowReplace'] = (bridge, rules) =>
    this.#json('PUT', at(bridge, 'flows'), { rules })

  portAdd: Remote<SwitchControl>['portAdd'] = (options) =>
    this.#json('POST', '/v1/ports', options ?? {})

  portDelete: Remote<SwitchControl>['portDelete'] = (name) =>
    this.#json('DELETE', `/v1/ports/${encodeURIComponent(name)}`)

  portSet: Remote<SwitchControl>['portSet'] = (name, changes) =>
    this.#json('PATCH', `/v1/ports/${encodeURIComponent(name)}`, changes)

  programLoad: Remote<SwitchControl>['programLoad'] = (bridge, file, data) =>
    this.#json('PUT', at(bridge, 'program'), { file, data })

  programUnload: Remote<SwitchControl>['programUnload'] = (bridge) =>
    this.#json('DELETE', at(bridge, 'program'))

  capture: Remote<SwitchControl>['capture'] = async (options) => {
    const stream = await this.#exchange('POST', '/v1/captures', options)
    if ((stream.statusCode ?? 500) >= 400) throw refusal(stream, await this.#read(stream))
    const { location = '' } = stream.headers
    return { id: Number(location.slice(location.lastIndexOf('/') + 1)), stream }
  }

  captures: Remote<SwitchControl>['captures'] = () => this.#json('GET', '/v1/captures')

  captureEnd: Remote<SwitchControl>['captureEnd'] = (id) =>
    this.#json('DELETE', `/v1/captures/${id}`)

  reload: Remote<SwitchControl>['reload'] = () => this.#json('POST', '/v1/reload')

  stop: Remote<SwitchControl>['stop'] = async () => {
    await this.#json('POST', '/v1/stop')
  }

  /** As text. */
  metrics = (): Promise<string> => this.#text('GET', '/metrics')

  ready: Remote<SwitchControl>['ready'] = async () => {
    const response = await this.#exchange('GET', '/readyz', undefined)
    const text = await this.#read(response)
    if (response.statusCode === 200 || response.statusCode === 503) return JSON.parse(text)
    throw refusal(response, text)
  }

  /** Whether anybody listens at the socket; asks nothing of it. */
  isListening(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.socket)
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const text = await this.#text(method, path, body)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  async #text(method: string, path: string, body?: unknown): Promise<string> {
    const response = await this.#exchange(method, path, body)
    const text = await this.#read(response)
    if ((response.statusCode ?? 500) < 400) return text
    throw refusal(response, text)
  }

  async #read(response: IncomingMessage): Promise<string> {
    try {
      const parts: Buffer[] = []
      for await (const part of response) parts.push(part as Buffer)
      return Buffer.concat(parts).toString('utf8')
    } catch (error) {
      throw new NoSwitchError(this.socket, error as Error)
    }
  }

  /** Resolves once the answer begins. */
  #exchange(method: string, path: string, body: unknown): Promise<IncomingMessage> {
    const content = body === undefined ? undefined : JSON.stringify(body)
    const headers =
      content === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { socketPath: this.socket, method, path, headers, agent: false },
        (response) => {
          // A capture may be silent for as long as it likes.
          if (response.headers['content-type'] === 'application/x-pcapng') outgoing.setTimeout(0)
          resolve(response)
        },
      )
      outgoing.setTimeout(this.timeoutMs, () => {
        outgoing.destroy(Object.assign(new Error('time is over'), { code: 'ETIMEDOUT' }))
      })
      outgoing.on('error', (error) => reject(new NoSwitchError(this.socket, error)))
      outgoing.end(content)
    })
  }
}

/** Path of something of a bridge. */
function at(bridge: string, what: string, query: Query = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '' && value !== false) parameters.set(name, String(value))
  }
  const text = parameters.toString()
  return `/v1/bridges/${encodeURIComponent(bridge)}/${what}${text === '' ? '' : `?${text}`}`
}

function refusal({ statusCode: status = 500 }: IncomingMessage, text: string): RefusedError {
  try {
    const { error } = JSON.parse(text)
    return new RefusedError(status, { ...error, message: String(error.message) })
  } catch {
    const message = `the switch answered ${status}: ${text.trim() || 'nothing'}`
    return new RefusedError(status, { code: 'ERR_ANSWER', message })
  }
}
