/** `vif inspect`: the ports of this host, seen from all sides. */
import { worst } from 'dpdk-vhost/doctor'
import { type InspectOptions, inspectVifs, type SourceStatus } from 'dpdk-vhost/vif'
import { AdminClient } from '../admin/client.js'
import { NoSwitchError } from '../admin/client-error.js'
import { ExitCode } from './exit-codes.js'
import { newTerminal } from './terminal.js'
import { inspectionText } from './text/vif-inspect.js'

interface Options {
  readonly connect?: string
  readonly ovsdb?: string
  readonly json?: boolean
  readonly socket: string
}

/** As long as a command of others may take. */
const ANSWER_MS = 10_000

type Ports = NonNullable<InspectOptions['ports']>

/** Returns the exit code. */
export async function inspect({ socket, connect, ovsdb, ...options }: Options): Promise<number> {
  const { answer, paint } = newTerminal(options)
  const { ports, source } = await ownPorts(socket)
  const found = await inspectVifs({ ports, libvirt: connect, ovsdb })
  const severity = worst(found.findings)
  const inspection = { severity, ...found, sources: [...found.sources, source] }
  const width = process.stdout.columns ?? Number.POSITIVE_INFINITY
  answer(inspection, () => inspectionText(inspection, width, paint))
  return severity === 'error' ? ExitCode.refused : ExitCode.ok
}

/** vhost-user ports of the switch at the admin socket. */
async function ownPorts(socket: string): Promise<{ ports: Ports; source: SourceStatus }> {
  try {
    const client = new AdminClient(socket, ANSWER_MS)
    const { pid } = await client.show()
    const ports = (await client.ports()).flatMap(
      ({ name, type, path, bridge, state, status, mtu, queues }): Ports => {
        if (type === 'dpdk') return []
        const isConnected = ['connected', 'ready', 'stopped'].includes(state)
        return [
          {
            ...{ switch: 'vswitch', name, bridge, type, socket: path, isConnected, mtu, pid },
            state: status.adminState === 'down' ? 'down' : state,
            reason: status.reason,
            queues,
            usedQueues: state === 'ready' ? status.rxQueues.length : undefined,
          },
        ]
      },
    )
    const seen = `${ports.length} vhost-user ports; ${socket}`
    return { ports, source: { source: 'vswitch', state: 'read', seen } }
  } catch (error) {
    const isAbsent =
      error instanceof NoSwitchError && ['ENOENT', 'ECONNREFUSED'].includes(error.code)
    const state = isAbsent ? 'absent' : 'unread'
    return { ports: [], source: { source: 'vswitch', state, seen: (error as Error).message } }
  }
}
