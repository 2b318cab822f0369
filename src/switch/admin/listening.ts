import { once } from 'node:events'
import type { ListenOptions, Server } from 'node:net'

/** Resolves once `server` listens; rejects with why it does not. */
export async function listening(server: Server, options: ListenOptions): Promise<void> {
  const ready = once(server, 'listening')
  server.listen(options)
  await ready
}
