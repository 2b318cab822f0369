import type { InspectedPort, Inspection } from 'dpdk-vhost/vif'
import { type Cell, columns } from './columns.js'
import { doctorText } from './doctor.js'
import type { Paint, Style } from './paint.js'

/** The table of ports, or blocks where it does not fit; what could not be read; the findings. */
export function inspectionText(
  { ports, findings, sources }: Inspection,
  width: number,
  paint: Paint,
): string {
  const unread = sources.filter(({ state }) => state !== 'read')
  const notRead = unread.map(({ source, seen, fix }) => {
    const hint = fix === undefined ? '' : `; ${fix}`
    return paint('faint', `not read: ${source}: ${seen}${hint}`)
  })
  return [
    ports.length === 0 ? 'no vhost-user ports' : portsText(ports, width, paint),
    notRead.join('\n'),
    doctorText(findings, true, paint),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function portsText(ports: readonly InspectedPort[], width: number, paint: Paint): string {
  const table = tableOf(ports, paint)
  const plain = tableOf(ports, (_style, text) => text)
  const widest = Math.max(...plain.split('\n').map((line) => line.length))
  return widest <= width ? table : ports.map((port) => block(port, paint)).join('\n')
}

const HEADINGS = [
  'vm',
  'port',
  'switch',
  'roles',
  'listens',
  'connected',
  'file',
  'memory',
  'queues',
  'state',
  'socket',
]

function tableOf(ports: readonly InspectedPort[], paint: Paint): string {
  const rows = ports.map((port): Cell[] => [
    port.vm ?? '-',
    port.port,
    port.switch ?? '-',
    `${port.qemuRole ?? '-'}/${port.switchRole ?? '-'}`,
    port.listening.map(short).join(', ') || '-',
    port.connected.map(short).join(', ') || '-',
    rights(port) ?? '-',
    memory(port),
    queues(port),
    [port.state, stateStyle(port)],
    port.socket,
  ])
  return columns(HEADINGS, rows, paint)
}

function block(port: InspectedPort, paint: Paint): string {
  const { vm, qemuRole, switchRole, bridge } = port
  const title = [vm, port.port].filter((part) => part !== undefined).join(' ')
  const at = bridge === undefined ? port.switch : `${port.switch}, bridge ${bridge}`
  const lines: [string, string][] = [
    ['socket', port.socket],
    ['file', rights(port) ?? 'none'],
    ['QEMU', qemuRole === undefined ? 'none' : `${qemuRole}; memory ${memory(port)}`],
    ['switch', switchRole === undefined ? 'none' : `${switchRole}; ${at}`],
    ['listens', port.listening.join(', ') || 'nobody'],
    ['connected', port.connected.join(', ') || 'nobody'],
    ['queues', queues(port)],
  ]
  const head = `${paint('heading', title)}: ${paint(stateStyle(port) ?? 'heading', port.state)}`
  return [head, ...lines.map(([name, text]) => `  ${name.padEnd(9)}  ${text}`)].join('\n')
}

/** `qemu 4711` for `qemu-system-x86_64 4711`: the table is wide enough. */
function short(process: string): string {
  return process.replace(/^qemu-\S+/, 'qemu').replace(/^ovs-vswitchd\S*/, 'ovs')
}

function rights({ owner, group, mode }: InspectedPort): string | undefined {
  return mode === undefined ? undefined : `${owner}:${group} ${mode}`
}

function memory({ sharedMemory }: InspectedPort): string {
  if (sharedMemory === undefined) return '-'
  return sharedMemory ? 'shared' : 'not shared'
}

/** In use, of QEMU's. */
function queues({ queues: { qemu, used } }: InspectedPort): string {
  if (qemu === undefined) return used === undefined ? '-' : String(used)
  return used === undefined ? String(qemu) : `${used}/${qemu}`
}

function stateStyle({ state }: InspectedPort): Style | undefined {
  if (state === 'ready' || state === 'connected') return 'good'
  return state === 'stale' || state === 'no socket' ? 'bad' : 'waiting'
}
