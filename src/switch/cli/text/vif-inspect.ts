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
  const notRead = sources.flatMap(({ source, state, seen, fix }) => {
    if (state === 'read') return []
    const words = { absent: 'not here', unread: 'not read', partly: 'read in part' }[state]
    const hint = fix === undefined ? '' : `; ${fix}`
    return [paint('faint', `${words}: ${source}: ${seen}${hint}`)]
  })
  return [
    ports.length === 0 ? 'no vhost-user ports' : portsText(ports, width, paint),
    notRead.join('\n'),
    doctorText(findings, true, paint),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** A table; if that is too wide a table with sockets on lines of their own; else blocks. */
function portsText(ports: readonly InspectedPort[], width: number, paint: Paint): string {
  const plain: Paint = (_style, text) => text
  const fits = (text: string) => text.split('\n').every((line) => line.length <= width)
  const layouts = [wideTable, narrowTable, blocks]
  return (layouts.find((layout) => fits(layout(ports, plain))) ?? blocks)(ports, paint)
}

type Column = readonly [heading: string, cell: (port: InspectedPort) => Cell]

const COLUMNS: readonly Column[] = [
  ['vm', ({ vm }) => vm ?? '-'],
  ['port', ({ port }) => port],
  ['switch', (port) => port.switch ?? '-'],
  ['QEMU/switch', ({ qemuRole, switchRole }) => `${qemuRole ?? '-'}/${switchRole ?? '-'}`],
  ['listens', ({ listening }) => listening.map(short).join(', ') || '-'],
  ['connected', ({ connected }) => connected.map(short).join(', ') || '-'],
  ['memory', memory],
  ['queues', queues],
  ['state', (port) => [port.state, stateStyle(port)]],
]

const FILE: readonly Column[] = [
  ['owner:group mode', (port) => rights(port) ?? '-'],
  ['socket', ({ socket }) => socket],
]

function tableOf(ports: readonly InspectedPort[], all: readonly Column[], paint: Paint): string {
  const rows = ports.map((port) => all.map(([, cell]) => cell(port)))
  return columns(
    all.map(([heading]) => heading),
    rows,
    paint,
  )
}

function wideTable(ports: readonly InspectedPort[], paint: Paint): string {
  return tableOf(ports, [...COLUMNS, ...FILE], paint)
}

function narrowTable(ports: readonly InspectedPort[], paint: Paint): string {
  const lines = tableOf(ports, COLUMNS, paint).split('\n')
  return lines
    .flatMap((line, i) => {
      const port = ports[i - 1]
      if (port === undefined) return [line]
      return [line, `    ${[port.socket, rights(port)].filter(Boolean).join('  ')}`]
    })
    .join('\n')
}

function blocks(ports: readonly InspectedPort[], paint: Paint): string {
  return ports.map((port) => block(port, paint)).join('\n')
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
