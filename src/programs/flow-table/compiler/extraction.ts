import { SLOTS, slot } from '../fields.js'
import { variable } from './names.js'

/** Slots that a frame has none of when it comes in. */
const METADATA = /^(metadata|reg)/

const L2 = ['dl_dst_hi', 'dl_dst', 'dl_src_hi', 'dl_src', 'dl_type', 'vlan_tci', 'in_port'].map(
  slot,
)

const ETHERNET: Readonly<Record<string, string>> = {
  dl_dst_hi: 'view.getUint16(at)',
  dl_dst: 'view.getInt32(at + 2)',
  dl_src_hi: 'view.getUint16(at + 6)',
  dl_src: 'view.getInt32(at + 8)',
}

const IPV4: Readonly<Record<string, string>> = {
  nw_tos: 'view.getUint8(ip + 1)',
  nw_ttl: 'view.getUint8(ip + 8)',
  nw_proto: 'view.getUint8(ip + 9)',
  nw_src: 'view.getInt32(ip + 12)',
  nw_dst: 'view.getInt32(ip + 16)',
}

/** Which slots compiled code uses, and so which have to be found in each frame. */
export class Used {
  readonly #slots = new Set<number>()
  /** Whether the transport header is looked for though no slot of it is used. */
  #transport = false
  #network = false
  /** Whether the offset of the frame is needed. */
  tags = false

  /** Says that a slot is used. Returns the variable it is in. */
  slot(index: number): string {
    this.#slots.add(index)
    return variable(index)
  }

  has(name: string): boolean {
    return this.#slots.has(slot(name))
  }

  /** Says that offsets of headers are used. */
  headers(): void {
    this.#network = true
    this.#transport = true
  }

  get slots(): number[] {
    return [...this.#slots].sort((a, b) => a - b)
  }

  get network(): boolean {
    return this.#network || this.slots.some((s) => !L2.includes(s) && !METADATA.test(variable(s)))
  }

  get transport(): boolean {
    return this.#transport || ['tp_src', 'tp_dst', 'tcp_flags'].some((name) => this.has(name))
  }
}

/** Code that finds the slots that are used, for the frame of `size` bytes at `at`: `FlowKey.extract`, specialised. */
export function extraction(used: Used): string {
  const lines: string[] = []
  const network = used.network
  const needsType = network || used.has('dl_type') || used.has('vlan_tci') || used.tags
  for (const index of used.slots) {
    const name = variable(index)
    if (name === 'in_port') continue
    const read = ETHERNET[name]
    if (read !== undefined) lines.push(`let ${name} = ${read}`)
    else if (name !== 'dl_type' && name !== 'vlan_tci') lines.push(`let ${name} = 0`)
  }
  if (!needsType) return lines.join('\n')

  lines.push(
    'let vlan_tci = 0, inner = 0, ip = at + 14, dl_type = view.getUint16(at + 12)',
    'if ((dl_type === 0x8100 || dl_type === 0x88a8) && size >= 18) {',
    'vlan_tci = view.getUint16(at + 14) | 0x1000',
    'dl_type = view.getUint16(at + 16)',
    'ip = at + 18',
    '}',
    'if (dl_type < 0x600) {',
    'dl_type = snapType(view, ip, at + size)',
    '}',
  )
  if (network) {
    lines.push('let l3 = -1, l4 = -1', 'if (dl_type === 0x800) {', ...ipv4(used))
    lines.push('} else if (dl_type === 0x86dd || dl_type === 0x806 || dl_type === 0x8035) {')
    lines.push(...others(used), '}')
  }
  return lines.join('\n')
}

function ipv4(used: Used): string[] {
  const lines = [
    'const left = at + size - ip',
    'if (left >= 20) {',
    'const header = (view.getUint8(ip) & 15) << 2, total = view.getUint16(ip + 2)',
    'if (header >= 20 && header <= total && total <= left) {',
    'l3 = ip',
  ]
  for (const [name, read] of Object.entries(IPV4))
    if (used.has(name)) lines.push(`${name} = ${read}`)
  if (used.has('nw_frag') || used.transport) lines.push('const fragment = view.getUint16(ip + 6)')
  if (used.has('nw_frag'))
    lines.push('nw_frag = (fragment & 0x1fff) !== 0 ? 3 : (fragment & 0x3fff) !== 0 ? 1 : 0')
  if (used.transport) lines.push('if ((fragment & 0x1fff) === 0) {', ...transport(used), '}')
  lines.push('}', '}')
  return lines
}

function transport(used: Used): string[] {
  const protocol = used.has('nw_proto') ? 'nw_proto' : 'view.getUint8(ip + 9)'
  const ports = ['tp_src', 'tp_dst']
    .filter((name) => used.has(name))
    .map((name) => `${name} = view.getUint16(th${name === 'tp_src' ? '' : ' + 2'})`)
  const kinds = ['tp_src', 'tp_dst']
    .filter((name) => used.has(name))
    .map((name) => `${name} = view.getUint8(th${name === 'tp_src' ? '' : ' + 1'})`)
  const flags = used.has('tcp_flags')
    ? ['if (protocol === 6) tcp_flags = view.getUint16(th + 12) & 0xfff']
    : []
  // Ports of a first fragment are taken for 0, as those of later ones, which have none.
  const first = ['tp_src', 'tp_dst'].filter((name) => used.has(name)).map((name) => `${name} = 0`)
  return [
    `const th = ip + header, rest = total - header, protocol = ${protocol}`,
    'if (protocol === 6 ? rest >= 20 : protocol === 17 ? rest >= 8 : protocol === 132 && rest >= 12) {',
    'l4 = th',
    ...ports,
    ...flags,
    '} else if (protocol === 1 && rest >= 8) {',
    'l4 = th',
    ...kinds,
    '}',
    ...(first.length > 0 ? [`if ((fragment & 0x2000) !== 0) { ${first.join('; ')} }`] : []),
  ]
}

/** Frames that are not worth code of their own. */
function others(used: Used): string[] {
  const l2 = new Set(L2)
  return [
    'key.extract(view, at, size, in_port)',
    'l3 = key.l3',
    'l4 = key.l4',
    ...used.slots
      .filter((index) => !l2.has(index) && !METADATA.test(SLOTS[index] as string))
      .map((index) => `${variable(index)} = slots[${index}]`),
  ]
}
