/** `vif parse` and `vif render`: a port as OpenStack, libvirt, QEMU and OVS see it. */
import { readFileSync } from 'node:fs'
import {
  describeProblem,
  newGuest,
  newVif,
  type Parsed,
  parseVifs,
  renderVifs,
  renderVifsText,
  VIF_ARTEFACTS,
  type Vif,
  type VifArtefact,
  type VifOptions,
  type VifSource,
} from 'dpdk-vhost/vif'
import { newTerminal } from './terminal.js'

export interface ParseOptions {
  readonly json?: boolean
  readonly from?: VifSource
  readonly socketFolder?: string
}

/** Values are checked by the description they go into. */
interface RenderOptions extends ParseOptions {
  readonly as?: VifArtefact
  readonly queues?: number
  readonly rxQueueSize?: VifOptions['rxQueueSize']
  readonly txQueueSize?: VifOptions['txQueueSize']
  readonly packed?: boolean
  readonly mtu?: number
  readonly reconnect?: number
  readonly vcpus?: number
  readonly memory?: number
  readonly hugepages?: boolean
}

export function parse(file: string, options: ParseOptions): void {
  const { json, answer } = newTerminal(options)
  const parsed = read(file, options)
  if (!json) warn(parsed)
  answer(parsed, describe)
}

export function render(file: string, options: RenderOptions): void {
  const { json, answer } = newTerminal(options)
  const parsed = read(file, options)
  warn(parsed)
  const { queues, rxQueueSize, txQueueSize, packed, mtu, reconnect } = options
  const wanted = given({ queues, rxQueueSize, txQueueSize, packed, mtu, reconnect })
  const vifs = parsed.vifs.map((vif) => newVif({ ...vif, ...wanted }))
  const { vcpus, memory: memoryMiB, hugepages } = options
  const memory = hugepages ? ('hugepages' as const) : undefined
  // What is made is to work: with shared memory, whatever the guest had.
  const shareable = parsed.guest?.memory === 'anonymous' ? { memory: 'memfd' as const } : {}
  const most = Math.max(...vifs.map((vif) => vif.queues))
  const guest = newGuest({
    vcpus: most,
    ...parsed.guest,
    ...shareable,
    ...given({ vcpus, memoryMiB, memory }),
    shared: true,
  })
  const { as: only } = options
  if (only !== undefined) {
    answer(renderVifs(only, vifs, guest), () => renderVifsText(only, vifs, guest))
    return
  }
  const all = VIF_ARTEFACTS.map((artefact) => [artefact, renderVifs(artefact, vifs, guest)])
  const text = () =>
    VIF_ARTEFACTS.map((name) => `# ${name}\n${renderVifsText(name, vifs, guest)}\n`).join('\n')
  if (json) answer(Object.fromEntries(all), String)
  else answer(undefined, text)
}

export function read(file: string, { from, socketFolder }: ParseOptions): Parsed {
  const text = readFileSync(file === '-' ? 0 : file, 'utf8')
  return parseVifs(text, { source: from, socketFolder })
}

export function warn({ warnings }: Parsed): void {
  for (const warning of warnings) process.stderr.write(`warning: ${describeProblem(warning)}\n`)
}

/** What was given of optional values. */
function given<T extends object>(values: T): Partial<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Partial<T>
}

function describe({ vifs, guest }: Parsed): string {
  const ports = vifs.map((vif) => section(`port ${vif.name}`, vifLines(vif)))
  if (guest === undefined) return ports.join('\n')
  const { name, ...rest } = guest
  return [section(`guest ${name}`, Object.entries(rest)), ...ports].join('\n')
}

function vifLines({ name: _name, qemuMode, ...rest }: Vif): [string, unknown][] {
  const [switchSide, qemuSide] =
    qemuMode === 'server'
      ? ['client, connects', 'server, listens']
      : ['server, listens', 'client, connects']
  return [['QEMU', qemuSide], ['switch', switchSide], ...Object.entries(rest)]
}

function section(title: string, lines: readonly (readonly [string, unknown])[]): string {
  return [title, ...lines.map(([key, value]) => `  ${key}: ${value}`)].join('\n')
}
