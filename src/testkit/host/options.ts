import { isIP } from 'node:net'
import * as z from 'zod'
import { descriptorsField, mtuField, nameField } from '../../config/fields.js'
import { missingFolder, socketPathTrouble } from '../../config/socket-path.js'
import { validate } from '../../config/validate.js'
import { formatMac, isMulticastMac, parseMac } from '../../headers/mac.js'

/** Options of {@link TestHost.start}. */
export interface TestHostOptions {
  /** Absolute path of the vhost-user socket, at most 107 bytes. Its folder has to exist. */
  path: string
  /**
   * `true`: the host listens, for a `dpdkvhostuserclient` port of the switch. `false`: it connects to a `dpdkvhostuser`
   * port as soon as that listens, and again whenever it comes back. Default `true`.
   */
  listen?: boolean | undefined
  /** Name in messages: 1 to 64 characters of `A-Z a-z 0-9 _ . : @ + -`. Default `host1`, `host2`, ... */
  name?: string | undefined
  /** MAC address. Default: a local one that no other host of this process has. */
  mac?: string | undefined
  /** IPv4 and IPv6 addresses it answers to. Default none. */
  ip?: string | readonly string[] | undefined
  /** Queue pairs, 1 to 16; virtio-user of DPDK 22.11 has at most 8. Default 1. */
  queues?: number | undefined
  /** Descriptors of each ring, a power of two. Default 1024. */
  queueSize?: number | undefined
  /** Packed rings instead of split ones, where the switch offers them. Default false. */
  packed?: boolean | undefined
  /** Ask for VIRTIO_F_IN_ORDER. Default true. */
  inOrder?: boolean | undefined
  /** Ask for VIRTIO_NET_F_MRG_RXBUF. Default true. */
  mergeable?: boolean | undefined
  /** MTU in bytes. Default 1500. */
  mtu?: number | undefined
  /** `adaptive` sleeps when there is nothing to do and looks every millisecond; `spin` never sleeps. Default `adaptive`. */
  idle?: 'spin' | 'adaptive' | undefined
  /** CPU that its polling thread is pinned to. Default: not pinned. */
  cpu?: number | undefined
  /** Memory of its own in MiB. Default: enough for its rings. */
  memoryMiB?: number | undefined
  /** It ends by itself after this time, whatever happens. Default 30 minutes. */
  maxLifetimeMs?: number | undefined
  /** Ends the host, as `close` does. */
  signal?: AbortSignal | undefined
  /** Receives DPDK's log lines of the host. */
  onLog?: ((line: string) => void) | undefined
}

/** MAC address as text. */
export const macField = z
  .string()
  .describe('a MAC address such as 02:00:00:00:00:01')
  .superRefine((text, ctx) => {
    try {
      parseMac(text)
    } catch {
      const fix = 'give six octets in hexadecimal, such as 02:00:00:00:00:01'
      ctx.addIssue({ code: 'custom', message: 'is no MAC address', params: { fix } })
    }
  })
  .transform((text) => formatMac(parseMac(text)))

const hostMacField = macField.superRefine((text, ctx) => {
  if (!isMulticastMac(parseMac(text))) return
  const fix = 'make its first octet even, such as 02'
  ctx.addIssue({ code: 'custom', message: 'is the address of a group', params: { fix } })
})

/** IP address without prefix length. */
export const ipField = z
  .string()
  .describe('an IP address such as 10.0.0.1')
  .superRefine((text, ctx) => {
    if (isIP(text) !== 0 && !text.includes('%')) return
    const fix = text.includes('/')
      ? 'leave out the prefix length: a host has no routes, all it talks to is on its link'
      : 'give an address such as 10.0.0.1 or fd00::1'
    ctx.addIssue({ code: 'custom', message: 'is no IP address', params: { fix } })
  })

const schema = z.strictObject({
  path: z.string().describe('the absolute path of the socket'),
  listen: z.boolean().default(true),
  name: nameField.optional(),
  mac: hostMacField.optional(),
  ip: z.union([ipField, z.array(ipField)]).default([]),
  queues: z.int().min(1).max(16).default(1),
  queueSize: descriptorsField.default(1024),
  packed: z.boolean().default(false),
  inOrder: z.boolean().default(true),
  mergeable: z.boolean().default(true),
  mtu: mtuField.default(1500),
  idle: z.enum(['spin', 'adaptive']).default('adaptive'),
  cpu: z.int().min(0).max(1023).optional(),
  memoryMiB: z.int().min(64).max(65_536).optional(),
  maxLifetimeMs: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(30 * 60_000),
  signal: z.instanceof(AbortSignal).optional(),
  onLog: z.custom<(line: string) => void>((value) => typeof value === 'function').optional(),
})

const checkedSchema = schema.superRefine(({ path, listen }, ctx) => {
  const trouble = listen
    ? (socketPathTrouble(path, 'server') ?? missingFolder(path))
    : socketPathTrouble(path, 'client')
  if (trouble !== undefined) {
    const { message, fix } = trouble
    ctx.addIssue({ code: 'custom', path: ['path'], input: path, message, params: { fix } })
  }
})

/** A checked description of a host: every default filled in, nothing live. It can be sent to another process. */
export interface TestHostSpec
  extends Omit<z.output<typeof schema>, 'name' | 'mac' | 'ip' | 'memoryMiB' | 'signal' | 'onLog'> {
  readonly name: string
  readonly mac: string
  readonly ip: readonly string[]
  readonly memoryMiB: number
}

let hosts = 0

/** @throws {@link ConfigError} naming every problem */
export function toHostSpec(options: TestHostOptions): TestHostSpec {
  const title = typeof options?.name === 'string' ? `test host "${options.name}"` : 'test host'
  const { signal: _signal, onLog: _onLog, ...given } = validate(checkedSchema, options, title)
  hosts += 1
  const ip = typeof given.ip === 'string' ? [given.ip] : given.ip
  return {
    ...given,
    ip,
    name: given.name ?? `host${hosts}`,
    mac: given.mac ?? ownMac(hosts),
    memoryMiB: given.memoryMiB ?? memoryFor(given),
  }
}

/** Locally administered, and different in processes that run at the same time. */
function ownMac(host: number): string {
  const pid = process.pid & 0xffffff
  return formatMac(0x02_0000_000000 + pid * 0x1_0000 + (host & 0xffff))
}

/** Room for what the rings hold, as much again on its way, and what DPDK itself takes. */
function memoryFor({ queues, queueSize, mtu }: z.output<typeof schema>): number {
  const bufferBytes = Math.max(mtu + 22, 2048) + 128 + 320
  const frames = 4 * queues * queueSize + 4096
  return Math.max(64, Math.ceil((frames * bufferBytes) / 2 ** 20) + 32 + 8 * queues)
}
