/**
 * The entry point of a host's process. It ends with its parent, when its time is over, or when it is told to; and it says
 * what is wrong when the addon cannot be loaded, which therefore is loaded late.
 */
import type { Host } from './host.js'
import { type FromHost, messageOf, type ToHost } from './protocol.js'

/** Without a word from its parent the process ends after this time. */
const START_MS = 30_000

let lifetime = setTimeout(end, START_MS)
let host: Host | undefined

const tell = (message: FromHost) => {
  if (process.connected) process.send?.(message)
}

/**
 * The only way out. DPDK's orderly one waits for what may never come, such as the connection that a listening device
 * wants first; the kernel takes everything back without.
 */
function end(): void {
  host?.close()
  process.kill(process.pid, 'SIGKILL')
}

async function handle(message: Exclude<ToHost, { kind: 'close' }>): Promise<unknown> {
  if (message.kind === 'start') {
    clearTimeout(lifetime)
    lifetime = setTimeout(end, message.spec.maxLifetimeMs)
    const { Host } = await import('./host.js')
    host = await Host.start(message.spec, tell)
    return undefined
  }
  if (host === undefined) throw new Error('it has not started')
  return message.kind === 'ask' ? host.ask(message.queue, message.request) : host.counters()
}

process.on('message', (message: ToHost) => {
  if (message.kind === 'close') {
    end()
    return
  }
  const { id } = message
  handle(message).then(
    (value) => tell({ kind: 'answer', id, value }),
    (error: unknown) => tell({ kind: 'refusal', id, message: messageOf(error) }),
  )
})
process.on('disconnect', end)
