import { connect, type Socket } from 'node:net'
import { OvsdbError, type OvsdbErrorCode, unreachable } from './error.js'
import { JsonFramer } from './framer.js'
import { defaultOvsdb, parseRemote } from './remote.js'
import type { OvsdbCondition, OvsdbOperation, OvsdbResult, OvsdbRow, OvsdbSchema } from './types.js'

/** How to talk to an OVSDB. */
export interface OvsdbClientOptions {
  /** How long to connect, or an answer, may take, in milliseconds. Default 10000. */
  readonly timeoutMs?: number
}

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** What comes from the server: an answer, or a request or notification of its own. */
interface Message {
  readonly id?: unknown
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: unknown
}

const DATABASE = 'Open_vSwitch'

/**
 * A connection to an OVSDB server (RFC 7047). Close it, or have it closed by `await using`.
 *
 * All methods reject with {@link OvsdbError}.
 */
export class OvsdbClient implements AsyncDisposable {
  /** `unix:/path` or `tcp:host:port`. */
  readonly remote: string
  readonly #socket: Socket
  readonly #timeoutMs: number
  readonly #pending = new Map<number, Pending>()
  #nextId = 1
  #end: OvsdbError | undefined

  private constructor(remote: string, socket: Socket, timeoutMs: number) {
    this.remote = remote
    this.#socket = socket
    this.#timeoutMs = timeoutMs
    const framer = new JsonFramer()
    socket.on('data', (bytes) => {
      try {
        for (const message of framer.push(bytes)) this.#take(message as Message)
      } catch (error) {
        const text = `what came is not OVSDB: ${(error as Error).message}; name the socket of ovsdb-server`
        this.#fail('ERR_OVSDB_PROTOCOL', text, error)
      }
    })
    socket.on('error', (error) =>
      this.#fail('ERR_OVSDB_CLOSED', `the server went away: ${error.message}`, error),
    )
    socket.on('close', () => this.#fail('ERR_OVSDB_CLOSED', 'the server went away'))
  }

  /**
   * @param remote - `unix:/path` or `tcp:host:port`. Default: where `ovs-vsctl` looks
   * @throws {@link ConfigError} when `remote` is something else
   */
  static async connect(
    remote = defaultOvsdb(),
    { timeoutMs = 10_000 }: OvsdbClientOptions = {},
  ): Promise<OvsdbClient> {
    const address = parseRemote(remote)
    const socket = await new Promise<Socket>((resolve, reject) => {
      const connecting = connect(address)
      const timer = setTimeout(
        () => connecting.destroy(new Error(`no answer within ${timeoutMs} ms`)),
        timeoutMs,
      )
      const refuse = (error: Error) => {
        clearTimeout(timer)
        reject(unreachable(remote, error))
      }
      connecting.once('error', refuse).once('connect', () => {
        clearTimeout(timer)
        resolve(connecting.off('error', refuse))
      })
    })
    return new OvsdbClient(remote, socket, timeoutMs)
  }

  /** Names of the server's databases. */
  async listDbs(): Promise<string[]> {
    return (await this.#request('list_dbs', [])) as string[]
  }

  async getSchema(database = DATABASE): Promise<OvsdbSchema> {
    return (await this.#request('get_schema', [database])) as OvsdbSchema
  }

  /**
   * Carries out operations: all of them or, if one is refused, none. Resolves with an answer an operation.
   *
   * @throws {@link OvsdbError} `ERR_OVSDB_REFUSED`, naming the operation, with the server's word as `reason`
   */
  async transact(
    operations: readonly OvsdbOperation[],
    { database = DATABASE, timeoutMs }: { database?: string; timeoutMs?: number } = {},
  ): Promise<OvsdbResult[]> {
    const answer = await this.#request('transact', [database, ...operations], timeoutMs)
    const results = answer as (OvsdbResult & { error?: string; details?: string })[]
    const at = results.findIndex((result) => result?.error !== undefined)
    if (at < 0) return results
    const { error = '', details } = results[at] as { error?: string; details?: string }
    // What only the end of the transaction shows is told behind the answers of all operations.
    const operation = operations[at]
    const which =
      operation === undefined
        ? 'the transaction'
        : `operation ${at}, ${[operation.op, operation.table].filter(Boolean).join(' ')}`
    const text = `refused ${which}: ${error}${details === undefined ? '' : ` (${details})`}; nothing was changed`
    throw new OvsdbError('ERR_OVSDB_REFUSED', `OVSDB ${this.remote} ${text}`, error)
  }

  /** Rows that meet all conditions, without any all rows. @param columns - default: all */
  async select(
    table: string,
    where: readonly OvsdbCondition[] = [],
    columns?: readonly string[],
  ): Promise<readonly OvsdbRow[]> {
    const operation = { op: 'select', table, where }
    const [result] = await this.transact([
      columns === undefined ? operation : { ...operation, columns },
    ])
    return result?.rows ?? []
  }

  /** Ends the connection; what is still asked rejects. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#end ??= new OvsdbError('ERR_OVSDB_CLOSED', `OVSDB ${this.remote}: it was closed here`)
      if (this.#socket.closed) resolve()
      else this.#socket.once('close', () => resolve())
      this.#socket.destroy()
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #request(method: string, params: unknown, timeoutMs = this.#timeoutMs): Promise<unknown> {
    if (this.#end !== undefined) return Promise.reject(this.#end)
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const text = `OVSDB ${this.remote} did not answer ${method} within ${timeoutMs} ms; is ovsdb-server busy or stopped?`
        this.#settle(id)?.reject(new OvsdbError('ERR_OVSDB_TIMEOUT', text))
      }, timeoutMs)
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer)
          settle(value)
        }
      this.#pending.set(id, { resolve: settled(resolve), reject: settled(reject) })
      this.#socket.write(JSON.stringify({ method, params, id }))
    })
  }

  #take({ id, method, params, result, error }: Message): void {
    // Whether we are still alive is asked as a request to be echoed (RFC 7047, 4.1.11).
    if (method === 'echo') this.#socket.write(JSON.stringify({ result: params, error: null, id }))
    if (method !== undefined) return
    const pending = this.#settle(id as number)
    if (error === null || error === undefined) {
      pending?.resolve(result)
      return
    }
    const { error: reason, details } = error as { error?: string; details?: string }
    const said = reason ?? JSON.stringify(error)
    const text = `OVSDB ${this.remote} refused: ${said}${details === undefined ? '' : ` (${details})`}`
    pending?.reject(new OvsdbError('ERR_OVSDB_REFUSED', text, reason))
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  #fail(code: OvsdbErrorCode, text: string, cause?: unknown): void {
    this.#end ??= new OvsdbError(code, `OVSDB ${this.remote}: ${text}`, undefined, { cause })
    for (const { reject } of this.#pending.values()) reject(this.#end)
    this.#pending.clear()
    this.#socket.destroy()
  }
}
