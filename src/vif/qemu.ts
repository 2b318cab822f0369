import type { Problem } from '../config/index.js'
import { commandLineArguments } from './command-line.js'
import { type Guest, newGuest } from './guest.js'
import { notShared, type Parsed, type PortwiseOptions, readPorts, unreadable } from './parsed.js'
import { isOn, parseQemuOptions, type QemuOptions, qemuOptions } from './qemu-options.js'
import { newVif, type Vif } from './vif.js'

/** Arguments for the guest's memory and name: memory that the switch can map. */
export function qemuGuestArguments(guest: Guest): string[] {
  const size = `${guest.memoryMiB}M`
  const share = guest.shared ? 'on' : 'off'
  const page = guest.pageKiB === undefined ? undefined : `${guest.pageKiB}K`
  const backends = {
    memfd: () => qemuOptions('memory-backend-memfd', { id: 'ram', size, share }),
    hugepages: () =>
      qemuOptions('memory-backend-memfd', {
        id: 'ram',
        size,
        share,
        hugetlb: 'on',
        hugetlbsize: page,
      }),
    file: () =>
      qemuOptions('memory-backend-file', { id: 'ram', size, 'mem-path': '/dev/shm', share }),
    anonymous: () => qemuOptions('memory-backend-ram', { id: 'ram', size, share }),
  }
  return [
    ...['-name', qemuOptions(`guest=${guest.name.replaceAll(',', ',,')}`, {})],
    ...(guest.uuid === undefined ? [] : ['-uuid', guest.uuid]),
    ...['-smp', String(guest.vcpus), '-m', size],
    ...['-object', backends[guest.memory](), '-numa', 'node,memdev=ram'],
  ]
}

/** Arguments for one port. `index` tells the ports of a guest apart. */
export function qemuPortArguments(vif: Vif, index = 0): string[] {
  const [chardev, netdev] = [`char${index}`, `net${index}`]
  const role =
    vif.qemuMode === 'server' ? { server: 'on', wait: 'off' } : { reconnect: vif.reconnect }
  const several = vif.queues > 1
  return [
    ...['-chardev', qemuOptions('socket', { id: chardev, path: vif.socket, ...role })],
    '-netdev',
    qemuOptions('vhost-user', { id: netdev, chardev, queues: several ? vif.queues : undefined }),
    '-device',
    qemuOptions('virtio-net-pci', {
      netdev,
      mac: vif.mac,
      mq: several ? 'on' : undefined,
      // One for each ring, one for the control queue, one for changes of the configuration.
      vectors: several ? 2 * vif.queues + 2 : undefined,
      rx_queue_size: vif.rxQueueSize,
      tx_queue_size: vif.txQueueSize,
      packed: vif.packed ? 'on' : undefined,
      host_mtu: vif.mtu,
    }),
  ]
}

/** All of it. */
export function qemuArguments(vifs: readonly Vif[], guest: Guest): string[] {
  return [...qemuGuestArguments(guest), ...vifs.flatMap(qemuPortArguments)]
}

const IMPLIED: Readonly<Record<string, string>> = {
  chardev: 'backend',
  device: 'driver',
  machine: 'type',
  m: 'size',
  name: 'guest',
  netdev: 'type',
  numa: 'type',
  object: 'qom-type',
  smp: 'cpus',
  uuid: 'uuid',
}

const WHAT = 'QEMU command line'

/**
 * Reads the vhost-user ports of a QEMU: its command line, `/proc/PID/cmdline`, or libvirt's log of it.
 *
 * @throws {@link ConfigError} when there are none, or one of them cannot be used
 */
export function parseQemu(
  input: string | readonly string[],
  portwise: PortwiseOptions = {},
): Parsed {
  const args = typeof input === 'string' ? commandLineArguments(input) : input
  const options = new Map<string, QemuOptions[]>()
  for (const [i, word] of args.entries()) {
    const name = word.replace(/^--?/, '')
    const implied = name === word ? undefined : IMPLIED[name]
    if (implied === undefined) continue
    options.set(name, [...(options.get(name) ?? []), optionsOf(name, args[i + 1] ?? '', implied)])
  }
  const all = (name: string) => options.get(name) ?? []
  const warnings: Problem[] = []
  const guest = parseGuest(all)
  const netdevs = all('netdev').filter((netdev) => netdev.get('type') === 'vhost-user')
  if (netdevs.length === 0) {
    const fix = 'give the arguments of a guest with -netdev vhost-user'
    throw unreadable(WHAT, '-netdev', undefined, 'of type vhost-user is missing', fix)
  }
  const vifs = readPorts(netdevs, (netdev) => parsePort(netdev, all, guest), portwise)
  if (!guest.shared) {
    const fix = "write share=on to the -object memory-backend-memfd that is the guest's memory"
    warnings.push(notShared('-object share', undefined, fix))
  }
  return { vifs, guest, warnings }
}

function optionsOf(name: string, value: string, implied: string): QemuOptions {
  try {
    return parseQemuOptions(value, implied)
  } catch (error) {
    const message = `is not JSON: ${(error as Error).message}`
    throw unreadable(
      WHAT,
      `-${name}`,
      value,
      message,
      'give the command line whole, with its quotes',
    )
  }
}

type All = (name: string) => readonly QemuOptions[]

function parsePort(netdev: QemuOptions, all: All, guest: Guest): Vif {
  const id = netdev.get('id')
  const what = `QEMU netdev ${id ?? ''}`.trim()
  const name = netdev.get('chardev')
  const chardev = all('chardev').find((other) => other.get('id') === name)
  if (chardev === undefined) {
    const fix = `add -chardev socket,id=${name ?? 'char0'},path=SOCKET`
    throw unreadable(what, 'chardev', name, 'is not there', fix)
  }
  const socket = chardev.get('path')
  if (socket === undefined) {
    const fd = chardev.get('fd')
    const message =
      fd === undefined ? 'is missing' : `is missing: libvirt hands over an open file, fd=${fd}`
    throw unreadable(
      what,
      `chardev ${name} path`,
      undefined,
      message,
      "read the domain's XML instead",
    )
  }
  const device = all('device').find((other) => other.get('netdev') === id)
  const number = (of: QemuOptions | undefined, key: string) => {
    const value = of?.get(key)
    if (value === undefined || /^[0-9]+$/.test(value)) return value && Number(value)
    throw unreadable(what, key, value, 'is not a whole number', 'write digits only')
  }
  const given = {
    mac: device?.get('mac'),
    mtu: number(device, 'host_mtu'),
    queues: number(netdev, 'queues'),
    rxQueueSize: number(device, 'rx_queue_size'),
    txQueueSize: number(device, 'tx_queue_size'),
    reconnect: number(chardev, 'reconnect') || undefined,
    vmId: guest.uuid,
  }
  return newVif(
    {
      ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value)) as object),
      socket,
      qemuMode: isOn(chardev.get('server')) ? 'server' : 'client',
      packed: isOn(device?.get('packed')),
    },
    what,
  )
}

function parseGuest(all: All): Guest {
  const last = (name: string) => all(name).at(-1)
  const backends = all('object').filter((one) => one.get('qom-type')?.startsWith('memory-backend-'))
  const used = new Set([
    ...all('numa').map((node) => node.get('memdev')),
    ...all('machine').map((machine) => machine.get('memory-backend')),
  ])
  const memory = backends.filter((backend) => used.has(backend.get('id')))
  const [first] = memory
  const page = bytes(first?.get('hugetlbsize'), 'K')
  const size = bytes(last('m')?.get('size'), 'M')
  const values = {
    name: last('name')?.get('guest'),
    uuid: last('uuid')?.get('uuid'),
    vcpus: Number(last('smp')?.get('cpus')) || undefined,
    memoryMiB: size && Math.round(size / 2 ** 20),
    pageKiB: page && page / 1024,
  }
  return newGuest(
    {
      ...(Object.fromEntries(Object.entries(values).filter(([, value]) => value)) as object),
      memory: memoryOf(first),
      shared: memory.length > 0 && memory.every((backend) => isOn(backend.get('share'))),
    },
    WHAT,
  )
}

function memoryOf(backend: QemuOptions | undefined): Guest['memory'] {
  const path = backend?.get('mem-path') ?? ''
  switch (backend?.get('qom-type')) {
    case 'memory-backend-memfd':
      return isOn(backend.get('hugetlb')) ? 'hugepages' : 'memfd'
    case 'memory-backend-file':
      return /huge/.test(path) ? 'hugepages' : 'file'
    default:
      return 'anonymous'
  }
}

/** Bytes of a size such as `512M`, `2097152k` or, in JSON, a number of bytes. */
function bytes(text: string | undefined, unit: string): number | undefined {
  const [, count, suffix] = text?.match(/^([0-9.]+)([bkmgt]?)i?b?$/i) ?? []
  if (count === undefined) return undefined
  return Number(count) * 1024 ** 'BKMGT'.indexOf((suffix || unit).toUpperCase())
}
