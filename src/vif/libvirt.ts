import type { Element } from '@xmldom/xmldom'
import type { Problem } from '../config/index.js'
import { type Guest, newGuest } from './guest.js'
import { notShared, type Parsed, type PortwiseOptions, readPorts, unreadable } from './parsed.js'
import { newVif, type Vif } from './vif.js'
import { attribute, child, childrenOf, element, parseXml } from './xml.js'

/**
 * `<interface type='vhostuser'>` with its elements in the order in which Nova writes them. The MTU is not in it, as with
 * Nova: guests learn it from DHCP.
 */
export function libvirtInterface(vif: Vif): string {
  const driver = {
    queues: vif.queues > 1 ? vif.queues : undefined,
    rx_queue_size: vif.rxQueueSize,
    tx_queue_size: vif.txQueueSize,
    packed: vif.packed ? 'on' : undefined,
  }
  const hasDriver = Object.values(driver).some((value) => value !== undefined)
  const source = { type: 'unix', mode: vif.qemuMode, path: vif.socket }
  const reconnect = { enabled: 'yes', timeout: vif.reconnect }
  const reconnects = vif.reconnect !== undefined && vif.qemuMode === 'client'
  return element('interface', { type: 'vhostuser' }, [
    ...(vif.mac === undefined ? [] : [element('mac', { address: vif.mac })]),
    element('model', { type: 'virtio' }),
    ...(hasDriver ? [element('driver', driver)] : []),
    element('source', source, reconnects ? [element('reconnect', reconnect)] : []),
    element('target', { dev: vif.name }),
  ])
}

/** `<memoryBacking>` and `<cpu>`: memory that the switch can map. */
export function libvirtMemory(guest: Guest): string[] {
  const page =
    guest.pageKiB === undefined ? [] : [element('page', { size: guest.pageKiB, unit: 'KiB' })]
  const backing = [
    ...(guest.memory === 'hugepages' ? [element('hugepages', {}, page)] : []),
    ...(guest.memory === 'memfd' || guest.memory === 'file'
      ? [element('source', { type: guest.memory })]
      : []),
    ...(guest.shared ? [element('access', { mode: 'shared' })] : []),
  ]
  const cell = {
    id: 0,
    cpus: guest.vcpus === 1 ? '0' : `0-${guest.vcpus - 1}`,
    memory: guest.memoryMiB * 1024,
    unit: 'KiB',
    memAccess: guest.shared ? 'shared' : 'private',
  }
  return [
    ...(backing.length === 0 ? [] : [element('memoryBacking', {}, backing)]),
    element('cpu', {}, [element('numa', {}, [element('cell', cell)])]),
  ]
}

/** A domain that `virsh define` takes: what these ports need, to be completed with disks and the like. */
export function libvirtDomain(vifs: readonly Vif[], guest: Guest): string {
  const [arch, machine] = process.arch === 'arm64' ? ['aarch64', 'virt'] : ['x86_64', 'q35']
  const [first, ...more] = libvirtMemory(guest).reverse()
  return element('domain', { type: 'kvm' }, [
    element('name', {}, guest.name),
    ...(guest.uuid === undefined ? [] : [element('uuid', {}, guest.uuid)]),
    element('memory', { unit: 'KiB' }, String(guest.memoryMiB * 1024)),
    ...more,
    element('vcpu', {}, String(guest.vcpus)),
    element('os', {}, [element('type', { arch, machine }, 'hvm')]),
    first as string,
    element('devices', {}, vifs.map(libvirtInterface)),
  ])
}

/**
 * Reads the vhost-user interfaces of a domain (`virsh dumpxml`, a file of `/run/libvirt/qemu`), or a single `<interface>`.
 *
 * @throws {@link ConfigError} when it is malformed, has no such interface, or one of them cannot be used
 */
export function parseLibvirt(text: string, options: PortwiseOptions = {}): Parsed {
  const root = parseXml(text, 'libvirt XML')
  if (root.nodeName === 'interface') return { vifs: [parseInterface(root, {})], warnings: [] }
  const domain = root.nodeName === 'domstatus' ? child(root, 'domain') : root
  if (domain?.nodeName !== 'domain') {
    const fix = 'give a <domain> or an <interface>, such as `virsh dumpxml` prints'
    throw unreadable('libvirt XML', '', `<${root.nodeName}>`, 'is not a domain', fix)
  }
  const guest = parseGuest(domain)
  const id = guest.uuid === undefined ? {} : { vmId: guest.uuid }
  const interfaces = childrenOf(child(domain, 'devices'), 'interface')
  const ours = interfaces.filter((one) => attribute(one, 'type') === 'vhostuser')
  if (ours.length === 0) {
    const types = interfaces.map((one) => attribute(one, 'type')).join(', ') || 'none'
    const message = `has no interface of type vhostuser, but: ${types}`
    throw unreadable(`domain ${guest.name}`, 'devices', undefined, message, 'give another domain')
  }
  const vifs = readPorts(ours, (one) => parseInterface(one, id), options)
  return { vifs, guest, warnings: guest.shared ? [] : [sharedWarning(domain)] }
}

function sharedWarning(domain: Element): Problem {
  const mode = attribute(child(domain, 'memoryBacking', 'access'), 'mode')
  const fix =
    "add <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking> and restart the guest; with Nova give its flavor hw:mem_page_size"
  return notShared('memoryBacking', mode, fix)
}

function parseInterface(of: Element, domain: { vmId?: string }): Vif {
  // libvirt asks OVS for the name of a domain that runs, and writes an empty one when OVS has no such port.
  const name = attribute(child(of, 'target'), 'dev') || undefined
  const what = `interface ${name ?? attribute(child(of, 'alias'), 'name') ?? ''}`.trim()
  const type = attribute(of, 'type')
  if (type !== 'vhostuser')
    throw unreadable(what, 'type', type, 'has no vhost-user socket', "give one of type='vhostuser'")
  const source = child(of, 'source')
  const sourceType = attribute(source, 'type')
  if (sourceType !== 'unix') {
    const problem = sourceType === undefined ? 'is missing' : 'is not a choice'
    throw unreadable(what, 'source.type', sourceType, problem, "write type='unix'")
  }
  const driver = child(of, 'driver')
  const number = (name: string) => wholeNumber(attribute(driver, name), what, `driver.${name}`)
  const reconnect = child(source, 'reconnect')
  const mtu = wholeNumber(attribute(child(of, 'mtu'), 'size'), what, 'mtu.size')
  // newVif checks every value; the schema of the description is stricter than these types.
  return newVif(
    {
      ...domain,
      ...optional({ name, mtu, mac: attribute(child(of, 'mac'), 'address') }),
      socket: attribute(source, 'path') as string,
      qemuMode: attribute(source, 'mode') as 'client',
      packed: attribute(driver, 'packed') === 'on',
      ...optional({
        queues: number('queues'),
        rxQueueSize: number('rx_queue_size') as 256 | undefined,
        txQueueSize: number('tx_queue_size') as 256 | undefined,
        // libvirt documents no default; QEMU's unit is seconds too.
        reconnect:
          attribute(reconnect, 'enabled') === 'yes'
            ? wholeNumber(attribute(reconnect, 'timeout'), what, 'source.reconnect.timeout')
            : undefined,
      }),
      plug: name?.startsWith('vhu') ? 'ovs' : 'generic',
    },
    what,
  )
}

function optional<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Partial<T>
}

function wholeNumber(text: string | undefined, what: string, path: string): number | undefined {
  if (text === undefined) return undefined
  if (/^[0-9]+$/.test(text)) return Number(text)
  throw unreadable(what, path, text, 'is not a whole number', 'write digits only')
}

const KIB: Readonly<Record<string, number>> = {
  b: 1 / 1024,
  bytes: 1 / 1024,
  KB: 1000 / 1024,
  k: 1,
  KiB: 1,
  MB: 1e6 / 1024,
  M: 1024,
  MiB: 1024,
  GB: 1e9 / 1024,
  G: 1024 ** 2,
  GiB: 1024 ** 2,
  TB: 1e12 / 1024,
  T: 1024 ** 3,
  TiB: 1024 ** 3,
}

function kib(of: Element | undefined, value: string | null | undefined): number | undefined {
  const unit = KIB[attribute(of, 'unit') ?? 'KiB']
  return value == null || unit === undefined ? undefined : Math.round(Number(value) * unit)
}

function parseGuest(domain: Element): Guest {
  const text = (...tags: string[]) => child(domain, ...tags)?.textContent?.trim()
  const backing = child(domain, 'memoryBacking')
  const huge = child(backing, 'hugepages')
  const page = child(huge, 'page')
  const memory = child(domain, 'memory')
  const memoryKiB = kib(memory, memory?.textContent)
  const cells = childrenOf(child(domain, 'cpu', 'numa'), 'cell')
  const access = attribute(child(backing, 'access'), 'mode')
  const shared = (cell: Element) => (attribute(cell, 'memAccess') ?? access) === 'shared'
  const source = attribute(child(backing, 'source'), 'type')
  return newGuest(
    {
      ...optional({
        name: text('name'),
        uuid: text('uuid'),
        vcpus: wholeNumber(text('vcpu'), 'domain', 'vcpu'),
        memoryMiB: memoryKiB === undefined ? undefined : Math.round(memoryKiB / 1024),
        pageKiB: kib(page, attribute(page, 'size')),
      }),
      memory:
        huge !== undefined
          ? 'hugepages'
          : source === 'memfd' || source === 'file'
            ? source
            : 'anonymous',
      shared: cells.length > 0 ? cells.every(shared) : access === 'shared',
    },
    'domain',
  )
}
