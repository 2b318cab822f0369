import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'

/** Requests of the vhost-user protocol (QEMU, docs/interop/vhost-user.rst). */
export const GET_FEATURES = 1
export const SET_FEATURES = 2
export const SET_OWNER = 3

const VERSION = 1
const HEADER_BYTES = 12

/** A message that hands over no file descriptors. */
export function message(request: number, payload?: bigint): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + (payload === undefined ? 0 : 8))
  bytes.writeUInt32LE(request, 0)
  bytes.writeUInt32LE(VERSION, 4)
  bytes.writeUInt32LE(bytes.length - HEADER_BYTES, 8)
  if (payload !== undefined) bytes.writeBigUInt64LE(payload, HEADER_BYTES)
  return bytes
}

/** A peer that listens as QEMU does with `server=on`, and says what a test has it say. */
export class RawPeer implements AsyncDisposable {
  /** When each connection came, in milliseconds on the clock of `performance`. */
  readonly connections: number[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  /** Replaces whatever is at `path`, as QEMU does. */
  static async listen(path: string, talk: (socket: Socket) => void = () => {}): Promise<RawPeer> {
    rmSync(path, { force: true })
    const server = createServer()
    const peer = new RawPeer(server)
    server.on('connection', (socket) => {
      peer.connections.push(performance.now())
      peer.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => peer.#sockets.delete(socket))
      talk(socket)
    })
    server.listen(path)
    await once(server, 'listening')
    return peer
  }

  /** Closes its connections, but goes on listening. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
