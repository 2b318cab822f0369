import type { AddressInfo } from 'node:net'
import type { SwitchControl } from '../control.js'
import type { MetricsSpec } from '../spec.js'
import { type Answered, requestHandler } from './handler.js'
import { endHttpServer, newHttpServer } from './http-server.js'
import { listening } from './listening.js'
import { ROUTES } from './routes.js'

/** Serves metrics, and nothing else, over TCP. */
export class MetricsServer implements AsyncDisposable {
  readonly #end: () => Promise<void>
  #ended: Promise<void> | undefined

  private constructor(
    /** Where it listens: `127.0.0.1:9475`. */
    readonly address: string,
    end: () => Promise<void>,
  ) {
    this.#end = end
  }

  /** @throws Error of the system when it cannot listen there, naming the address */
  static async start(
    control: SwitchControl,
    { listen }: MetricsSpec,
    onAnswered: (answered: Answered) => void = () => {},
  ): Promise<MetricsServer> {
    const routes = ROUTES.filter((route) => route.public)
    const server = newHttpServer(requestHandler(control, routes, onAnswered))
    try {
      await listening(server, splitAddress(listen))
    } catch (cause) {
      const message = `metrics.listen: cannot listen at ${listen}: ${(cause as Error).message}`
      throw new Error(message, { cause })
    }
    const { address, port, family } = server.address() as AddressInfo
    const host = family === 'IPv6' ? `[${address}]` : address
    return new MetricsServer(`${host}:${port}`, () => endHttpServer(server))
  }

  close(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** `[::1]:9475` and `127.0.0.1:9475`; without a host, that of the machine itself. */
function splitAddress(listen: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]*)):(\d+)$/.exec(listen) ?? []
  if (port === undefined) throw new Error('it is no HOST:PORT')
  return { host: bracketed ?? (plain || '127.0.0.1'), port: Number(port) }
}
