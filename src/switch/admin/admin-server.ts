import type { SwitchControl } from '../control.js'
import type { AdminSpec } from '../spec.js'
import { type Answered, requestHandler } from './handler.js'
import { endHttpServer, newHttpServer } from './http-server.js'
import { ROUTES } from './routes.js'
import { listenAt, type Owner } from './socket-file.js'

/** Serves a switch on its admin socket. */
export class AdminServer implements AsyncDisposable {
  readonly #end: () => Promise<void>
  #ended: Promise<void> | undefined

  private constructor(
    /** Path of the socket. */
    readonly socket: string,
    end: () => Promise<void>,
  ) {
    this.#end = end
  }

  /**
   * @param control - requests wait for it, so that a socket can be taken before the switch is there
   * @param onAnswered - told of every request once it is answered
   * @throws SocketFileError `ERR_SOCKET_IN_USE` when a switch listens there already
   */
  static async start(
    control: SwitchControl | Promise<SwitchControl>,
    { socket, mode, owner }: AdminSpec & { owner?: Owner | undefined },
    onAnswered: (answered: Answered) => void = () => {},
  ): Promise<AdminServer> {
    const server = newHttpServer(requestHandler(control, ROUTES, onAnswered))
    const remove = await listenAt(server, socket, mode, owner)
    return new AdminServer(socket, async () => {
      // First, so that nobody finds a socket that takes no more requests.
      await remove()
      await endHttpServer(server)
    })
  }

  /** Takes no more requests, removes the socket, and lets answers under way end. */
  close(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
