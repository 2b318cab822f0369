import { basename } from 'node:path'
import * as z from 'zod'
import { mtuField, socketSpellingTrouble, validate } from '../config/index.js'
import { formatMac, isMulticastMac, parseMac } from '../headers/mac.js'
import { PLUGS, type Plug, vifName } from './plug.js'

/** Roles on a socket: a `server` listens, a `client` connects. */
export const VHOST_USER_MODES = ['client', 'server'] as const

/** Sizes of a guest's ring that QEMU, libvirt and Nova agree on. */
export const RING_SIZES = [256, 512, 1024] as const

const macField = z
  .string()
  .describe('a MAC address such as fa:16:3e:00:00:01')
  .superRefine((text, ctx) => {
    const refuse = (message: string, fix: string) =>
      ctx.addIssue({ code: 'custom', message, params: { fix } })
    try {
      if (isMulticastMac(parseMac(text)))
        refuse('names a group', 'give the address of one station: an even first octet')
    } catch {
      refuse('is not a MAC address', 'give six octets such as fa:16:3e:00:00:01')
    }
  })

const socketField = z
  .string()
  .describe('the absolute path of the socket')
  .superRefine((path, ctx) => {
    const trouble = socketSpellingTrouble(path)
    if (trouble === undefined) return
    ctx.addIssue({ code: 'custom', message: trouble.message, params: { fix: trouble.fix } })
  })

const ringField = z.literal(RING_SIZES).describe('256, 512 or 1024')
const textField = z.string().min(1)

/** Schema of {@link VifOptions}. */
export const vifOptions = z.strictObject({
  id: textField.optional(),
  name: textField.optional(),
  socket: socketField,
  qemuMode: z.enum(VHOST_USER_MODES),
  plug: z.enum(PLUGS).default('generic'),
  mac: macField.optional(),
  mtu: mtuField.optional(),
  queues: z.int().min(1).max(128).default(1),
  rxQueueSize: ringField.optional(),
  txQueueSize: ringField.optional(),
  packed: z.boolean().default(false),
  reconnect: z.int().min(1).max(3600).optional(),
  bridge: textField.optional(),
  vmId: textField.optional(),
})

/** A vhost-user port as all parties see it: the switch, Neutron, Nova, libvirt, QEMU, OVS. */
export interface Vif {
  /** Id of the Neutron port. */
  readonly id?: string
  /** Name of the device, and of the port in the switch. Default: by `id` and `plug` ({@link vifName}), else the socket's file name. */
  readonly name: string
  /** Absolute path of the socket, at most 107 bytes. */
  readonly socket: string
  /** Role of **QEMU**, as `vhostuser_mode` and libvirt's `<source mode=>` say it. The switch has the other one. */
  readonly qemuMode: 'client' | 'server'
  /** Who plugs it on the host. Default `generic`. */
  readonly plug: Plug
  /** Address of the guest's network card, in lower case between colons. */
  readonly mac?: string
  /** MTU of the network, 68 to 9728 bytes. */
  readonly mtu?: number
  /** Queue pairs, 1 to 128. Default 1. */
  readonly queues: number
  /** Entries of the rings that the guest receives from. Default: QEMU's, 256. */
  readonly rxQueueSize?: (typeof RING_SIZES)[number]
  /** Entries of the rings that the guest sends on. Default: QEMU's, 256. */
  readonly txQueueSize?: (typeof RING_SIZES)[number]
  /** Whether packed rings are offered to the guest. Default false. */
  readonly packed: boolean
  /** Seconds after which a QEMU that is client connects again, 1 to 3600. Default: it never does. */
  readonly reconnect?: number
  /** Bridge that the port is in: of OVS, or of `vswitch`. */
  readonly bridge?: string
  /** Id of the virtual machine. */
  readonly vmId?: string
}

/** What a {@link Vif} is made of; what has a default may be left out. */
export type VifOptions = z.input<typeof vifOptions>

/**
 * A complete description.
 *
 * @param what - what it was read from, as an error is to begin
 * @throws {@link ConfigError} naming every problem
 */
export function newVif(options: VifOptions, what = 'vif'): Vif {
  const { name, mac, ...spec } = validate(vifOptions, options, what)
  const plain = {
    ...spec,
    name: name ?? (spec.id === undefined ? basename(spec.socket) : vifName(spec.id, spec.plug)),
    mac: mac === undefined ? undefined : formatMac(parseMac(mac)),
  }
  return withoutUndefined(plain) as Vif
}

/** The same object without the keys whose value is undefined. */
export function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T
}
