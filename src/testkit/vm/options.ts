/**
 * What a virtual machine is made of: options, their check, and the description that comes out of it.
 *
 * @packageDocumentation
 */
import { isIP } from 'node:net'
import { isAbsolute } from 'node:path'
import { VirtualMachineError } from './errors.js'

/** QEMU's side of the vhost-user socket. The switch always takes the other one. */
export type SocketRole = 'server' | 'client'

/** Options of {@link VirtualMachine.start}. */
export interface VirtualMachineOptions {
  /** Name and guest host name: letters, digits and dashes. */
  readonly name: string
  /** Absolute path of the vhost-user socket, 107 bytes at most. */
  readonly socket: string
  /** `server`: QEMU listens and the switch connects; it may come, go and come back. Default `server`. */
  readonly role?: SocketRole | undefined
  /** MAC address of the guest's interface, `52:54:00:00:00:01`. */
  readonly mac: string
  /** Address or addresses of the guest's interface with prefix length, `10.0.0.1/24`. */
  readonly ip?: string | readonly string[] | undefined
  /** Guest memory. Default 128. */
  readonly memoryMiB?: number | undefined
  /** Queue pairs, 1 to 16. A guest begins to use one for each of its CPUs, and changes that with `ethtool -L`. Default 1. */
  readonly queues?: number | undefined
  /** CPUs of the guest. Default: as many as queue pairs. */
  readonly cpus?: number | undefined
  /** Programs of this machine that the guest gets in its `/bin`, with the libraries they need: `ethtool`. Default: none. */
  readonly programs?: readonly string[] | undefined
  /** Do not boot, but wait for a running guest: see {@link VirtualMachine.migrateTo}. Default `false`. */
  readonly incoming?: boolean | undefined
  /** Offer the packed ring layout to the guest. Default `false`: split rings. */
  readonly packed?: boolean | undefined
  /** Size of the rings the guest receives on: a power of two from 256 to 1024. Default 256. */
  readonly rxQueueSize?: number | undefined
  /** Size of the rings the guest sends on: a power of two from 256 to 1024. Default 256. */
  readonly txQueueSize?: number | undefined
  /** MTU that QEMU announces to the guest and to the switch. Default: none is announced, the guest uses 1500. */
  readonly mtu?: number | undefined
  /** Let the guest leave checksums and segmentation to the other side, where that side offers it. Default `true`. */
  readonly offloads?: boolean | undefined
  /** QEMU is ended after this time whatever happens; 0 for no limit. Default 30 minutes. */
  readonly maxLifetimeMs?: number | undefined
  /** Ends the machine, as `close` does. */
  readonly signal?: AbortSignal | undefined
  /** Receives every line of the guest's kernel console. */
  readonly onConsole?: ((line: string) => void) | undefined
}

/** A checked description of a machine: no option is open, nothing is live. */
export interface VirtualMachineSpec {
  readonly name: string
  readonly socket: string
  readonly role: SocketRole
  readonly mac: string
  readonly addresses: readonly string[]
  readonly memoryMiB: number
  readonly queues: number
  readonly cpus: number
  readonly programs: readonly string[]
  readonly incoming: boolean
  readonly packed: boolean
  readonly rxQueueSize: number
  readonly txQueueSize: number
  readonly mtu: number | undefined
  readonly offloads: boolean
  readonly maxLifetimeMs: number
}

/** `sun_path` holds 108 bytes with the terminating zero. */
const MAX_SOCKET_PATH_BYTES = 107

/** Checks the options and fills in the defaults. Throws `ERR_VM_OPTION`. */
export function toSpec(options: VirtualMachineOptions): VirtualMachineSpec {
  const spec: VirtualMachineSpec = {
    name: options.name,
    socket: options.socket,
    role: options.role ?? 'server',
    mac: options.mac.toLowerCase(),
    addresses:
      options.ip === undefined
        ? []
        : typeof options.ip === 'string'
          ? [options.ip]
          : [...options.ip],
    memoryMiB: options.memoryMiB ?? 128,
    queues: options.queues ?? 1,
    cpus: options.cpus ?? options.queues ?? 1,
    programs: [...(options.programs ?? [])],
    incoming: options.incoming ?? false,
    packed: options.packed ?? false,
    rxQueueSize: options.rxQueueSize ?? 256,
    txQueueSize: options.txQueueSize ?? 256,
    mtu: options.mtu,
    offloads: options.offloads ?? true,
    maxLifetimeMs: options.maxLifetimeMs ?? 30 * 60_000,
  }
  check(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(spec.name),
    'name',
    spec.name,
    'a host name: letters, digits, dashes',
  )
  check(isAbsolute(spec.socket), 'socket', spec.socket, 'an absolute path')
  check(
    Buffer.byteLength(spec.socket) <= MAX_SOCKET_PATH_BYTES,
    'socket',
    spec.socket,
    `a path of ${MAX_SOCKET_PATH_BYTES} bytes at most`,
  )
  check(spec.role === 'server' || spec.role === 'client', 'role', spec.role, "'server' or 'client'")
  check(isUnicastMac(spec.mac), 'mac', spec.mac, 'a unicast MAC address such as 52:54:00:00:00:01')
  for (const address of spec.addresses) {
    check(
      isAddressWithPrefix(address),
      'ip',
      address,
      'an address with prefix length such as 10.0.0.1/24',
    )
  }
  check(
    isIntegerIn(spec.memoryMiB, 64, 65536),
    'memoryMiB',
    spec.memoryMiB,
    'an integer from 64 to 65536',
  )
  check(isIntegerIn(spec.queues, 1, 16), 'queues', spec.queues, 'an integer from 1 to 16')
  check(isIntegerIn(spec.cpus, 1, 16), 'cpus', spec.cpus, 'an integer from 1 to 16')
  for (const program of spec.programs)
    check(/^[\w.+-]+$/.test(program), 'programs', program, 'the name of a program, without a path')
  check(isRingSize(spec.rxQueueSize), 'rxQueueSize', spec.rxQueueSize, '256, 512 or 1024')
  check(isRingSize(spec.txQueueSize), 'txQueueSize', spec.txQueueSize, '256, 512 or 1024')
  check(
    spec.mtu === undefined || isIntegerIn(spec.mtu, 68, 65535),
    'mtu',
    spec.mtu,
    'an integer from 68 to 65535',
  )
  check(
    isIntegerIn(spec.maxLifetimeMs, 0, Number.MAX_SAFE_INTEGER),
    'maxLifetimeMs',
    spec.maxLifetimeMs,
    'milliseconds, or 0 for no limit',
  )
  return spec
}

function check(valid: boolean, option: string, value: unknown, expected: string): void {
  if (valid) return
  throw new VirtualMachineError(
    'ERR_VM_OPTION',
    `${option}: expected ${expected}, got ${JSON.stringify(value)}`,
  )
}

function isIntegerIn(value: number, low: number, high: number): boolean {
  return Number.isSafeInteger(value) && value >= low && value <= high
}

/** The sizes QEMU accepts for a vhost-user network device. */
function isRingSize(value: number): boolean {
  return value === 256 || value === 512 || value === 1024
}

function isUnicastMac(mac: string): boolean {
  return (
    /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) && (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0
  )
}

function isAddressWithPrefix(text: string): boolean {
  const [address = '', prefix = '', ...rest] = text.split('/')
  const family = isIP(address)
  if (rest.length > 0 || family === 0 || !/^\d{1,3}$/.test(prefix) || address.includes('%'))
    return false
  return Number(prefix) <= (family === 4 ? 32 : 128)
}
