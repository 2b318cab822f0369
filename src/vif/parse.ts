import { newGuest } from './guest.js'
import { parseLibvirt } from './libvirt.js'
import { parseNeutron } from './neutron.js'
import { isOvsdb, type OvsParseOptions, parseOvsdb, parseOvsShow } from './ovs-parse.js'
import { type Parsed, unreadable } from './parsed.js'
import { parseQemu } from './qemu.js'
import { newVif, type VifOptions } from './vif.js'

/** What can be read. `vif` is what `vswitch vif parse --json` prints. */
export const VIF_SOURCES = ['neutron', 'libvirt', 'qemu', 'ovs-show', 'ovsdb', 'vif'] as const

/** One of {@link VIF_SOURCES}. */
export type VifSource = (typeof VIF_SOURCES)[number]

/** What the artefact itself does not say. */
export interface ParseOptions extends OvsParseOptions {
  /** What it is. Default: found out. */
  readonly source?: VifSource | undefined
}

const WHAT = 'vif'

/**
 * Reads any artefact into descriptions.
 *
 * @throws {@link ConfigError} when it is none, is malformed, has no vhost-user port, or has one that cannot be used
 */
export function parseVifs(text: string, options: ParseOptions = {}): Parsed {
  const { source = sourceOf(text) } = options
  switch (source) {
    case 'libvirt':
      return parseLibvirt(text)
    case 'qemu':
      return parseQemu(text)
    case 'ovs-show':
      return parseOvsShow(text, options)
    case 'ovsdb':
      return parseOvsdb(jsonDocuments(text), options)
    case 'neutron':
      return parseNeutron(jsonDocuments(text)[0])
    case 'vif':
      return parseDescription(jsonDocuments(text)[0] as { vifs: VifOptions[]; guest?: object })
  }
}

function sourceOf(text: string): VifSource {
  const start = text.trimStart()
  if (start.startsWith('<')) return 'libvirt'
  if (/^[[{]/.test(start)) {
    const [first] = jsonDocuments(text)
    if (isOvsdb(first)) return 'ovsdb'
    return typeof first === 'object' && first !== null && 'vifs' in first ? 'vif' : 'neutron'
  }
  if (/-(netdev|chardev)[\s\0'"]/.test(text)) return 'qemu'
  if (/^\s+Bridge /m.test(text)) return 'ovs-show'
  const value = start.slice(0, 60)
  const message = start === '' ? 'is empty' : 'is nothing that can be read'
  const fix =
    "give Neutron's port as JSON, a libvirt domain, a QEMU command line, `ovs-vsctl show`, or rows of an OVSDB as JSON"
  throw unreadable(WHAT, 'input', start === '' ? undefined : value, message, fix)
}

/** A JSON document, or several, one a line. */
function jsonDocuments(text: string): unknown[] {
  try {
    return [JSON.parse(text)]
  } catch (error) {
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    try {
      if (lines.length > 1) return lines.map((line) => JSON.parse(line) as unknown)
    } catch {
      // The message about the whole says more.
    }
    const fix = 'give one JSON document, or several, one a line'
    throw unreadable(WHAT, 'input', undefined, `is not JSON: ${(error as Error).message}`, fix)
  }
}

function parseDescription({ vifs, guest }: { vifs: VifOptions[]; guest?: object }): Parsed {
  if (!Array.isArray(vifs) || vifs.length === 0)
    throw unreadable(WHAT, 'vifs', vifs, 'has no ports', 'give an array of at least one')
  const ports = vifs.map((vif, i) => newVif(vif, `vifs[${i}]`))
  return { vifs: ports, ...(guest === undefined ? {} : { guest: newGuest(guest) }), warnings: [] }
}
