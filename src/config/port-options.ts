import * as z from 'zod'
import { type EgressShaper, egressShaperField } from './egress-shaper.js'
import { FEATURE_NAMES, type FeatureName } from './features.js'
import { descriptorsField, mtuField, nameField } from './fields.js'
import { modeField, ownerField, type ReconnectOptions, reconnectField } from './socket-fields.js'
import { type SocketRole, socketPathTrouble } from './socket-path.js'

function pathField(role: SocketRole) {
  return z
    .string()
    .describe('the absolute path of the socket')
    .superRefine((path, ctx) => {
      const trouble = socketPathTrouble(path, role)
      if (trouble === undefined) return
      ctx.addIssue({ code: 'custom', message: trouble.message, params: { fix: trouble.fix } })
    })
}

const QUEUE = /^(0|[1-9][0-9]*)$/

/** Schema of {@link RxAffinity}. */
export const rxAffinityField = z
  .record(z.string(), nameField)
  .describe('names of lcores by rx queue, such as { 0: "lcore0" }')
  .superRefine((affinity, ctx) => {
    for (const [queue, lcore] of Object.entries(affinity)) {
      if (QUEUE.test(queue) && Number(queue) < 16) continue
      const params = { fix: 'name rx queues by number, 0 to 15' }
      const issue = { message: 'is pinned by a key that is no rx queue', params }
      ctx.addIssue({ code: 'custom', path: [queue], input: lcore, ...issue })
    }
  })

/** Which rx queues are pinned to which lcore: names of lcores by queue. */
export type RxAffinity = Readonly<Record<number, string>>

/** Schema of {@link AdminState}. */
export const adminStateField = z.enum(['up', 'down'])

/** What the switch wants of a port: `down` looks unplugged to the guest. */
export type AdminState = z.output<typeof adminStateField>

const vhostUser = {
  name: nameField,
  queues: z.int().min(1).max(16).default(16),
  mtu: mtuField.optional(),
  adminState: adminStateField.default('up'),
  rxAffinity: rxAffinityField.default({}),
  egressShaper: egressShaperField.optional(),
  disableFeatures: z.array(z.enum(FEATURE_NAMES)).optional(),
  features: z.array(z.enum(FEATURE_NAMES)).min(1).optional(),
  txRetriesMax: z.int().min(0).max(32).default(8),
  vringStats: z.boolean().default(false),
  flapLimit: z.number().min(0).max(1000).default(10),
}

const vhostUserClientPort = z.strictObject({
  type: z.literal('dpdkvhostuserclient'),
  path: pathField('client'),
  ...vhostUser,
  reconnect: reconnectField,
})

const vhostUserPort = z.strictObject({
  type: z.literal('dpdkvhostuser'),
  path: pathField('server'),
  ...vhostUser,
  createFolder: z.boolean().default(false),
  mode: modeField.optional(),
  uid: ownerField.optional(),
  gid: ownerField.optional(),
})

const ethernetPort = z.strictObject({
  type: z.literal('dpdk'),
  name: nameField,
  devargs: z.string().min(1).describe('a PCI address, or a virtual device with its arguments'),
  rxQueues: z.int().min(1).max(16).default(1),
  txQueues: z.int().min(1).max(16).default(1),
  rxDescriptors: descriptorsField.default(1024),
  txDescriptors: descriptorsField.default(1024),
  mtu: mtuField.optional(),
  adminState: adminStateField.default('up'),
  rxAffinity: rxAffinityField.default({}),
  egressShaper: egressShaperField.optional(),
})

/** Schema of {@link PortOptions}. Use `validatePort`, which says more than the schema alone. */
export const portOptions = z.discriminatedUnion('type', [
  vhostUserClientPort,
  vhostUserPort,
  ethernetPort,
])

interface VhostUserOptions {
  /** Name of the port: 1 to 64 characters of `A-Z a-z 0-9 _ . : @ + -`. */
  name: string
  /** Most queue pairs the guest may have, 1 to 16. One that is set up with more is refused by its QEMU. Default 16. */
  queues?: number | undefined
  /**
   * Longest payload of a frame sent to the guest, 68 to 9728 bytes and no more than the datapath's, which is the default.
   * Longer frames for the port are dropped and counted. What the guest sends is not held against it, as in OVS.
   */
  mtu?: number | undefined
  /**
   * Rx queues that are pinned: names of lcores by queue, such as `{ 0: 'lcore0', 1: 'lcore1' }`. Default: none. A pinned
   * queue is polled by that lcore whatever ports that names; while no such lcore runs, as if it were not pinned.
   */
  rxAffinity?: RxAffinity | undefined
  /** `down`: the port neither connects nor listens before it is set up. Default `up`. */
  adminState?: AdminState | undefined
  /** Holds back what would be sent above a rate. Default: none does. */
  egressShaper?: EgressShaper | undefined
  /** Features not to offer, by their names in the standard. Default none. */
  disableFeatures?: readonly FeatureName[] | undefined
  /**
   * Exactly these features are offered, whatever a later DPDK may add or drop: a guest that goes on running while the
   * switch is replaced must find those it negotiated. `PortStatus.offered` of a running port is the list to pin.
   * Default: all that DPDK has, without those in `disableFeatures` and without offloads that the datapath cannot honour.
   */
  features?: readonly FeatureName[] | undefined
  /** Times a full ring is tried again while it makes progress, 0 to 32. Default 8. */
  txRetriesMax?: number | undefined
  /**
   * Counts for each vring what librte_vhost counts: sizes of frames, groups, interrupts (`Datapath.vringStats`). Every frame
   * is looked at for that. Default false.
   */
  vringStats?: boolean | undefined
  /**
   * Restarts of the guest's device a second that the port goes along with, over ten seconds: connections and stops count
   * one each, a queue that comes or goes a sixteenth. A guest above that is held down: it is cut off for a second, for
   * twice as long when it comes to that again within a minute, and so on up to 32 s. 0 to 1000; 0: no limit. Default 10.
   */
  flapLimit?: number | undefined
}

/** We connect to a socket on which the peer listens (QEMU: `server=on`; OpenStack: `vhostuser_mode=server`). */
export interface VhostUserClientPortOptions extends VhostUserOptions {
  type: 'dpdkvhostuserclient'
  /** Absolute path of the peer's socket, at most 107 bytes. Neither it nor its folder need exist yet: both are watched for. */
  path: string
  /** How it looks for its peer. */
  reconnect?: ReconnectOptions | undefined
}

/** We create a socket and listen (QEMU: a chardev without `server=on`; OpenStack: `vhostuser_mode=client`). */
export interface VhostUserPortOptions extends VhostUserOptions {
  type: 'dpdkvhostuser'
  /** Absolute path of the socket to create, at most 107 bytes. A socket that a dead process left there is replaced. */
  path: string
  /** Creates the folders of the path that are missing. Default false. */
  createFolder?: boolean | undefined
  /** Permission bits of the socket, such as `0o660` or `'0660'`; to connect takes write permission. Default: what the umask leaves of 0777. */
  mode?: number | string | undefined
  /** User that owns the socket, by name or number (QEMU's, such as `libvirt-qemu`). Default: that of this process. */
  uid?: number | string | undefined
  /** Group that owns the socket, by name or number. Default: that of this process. */
  gid?: number | string | undefined
}

/** An ethdev: a NIC, or one of DPDK's virtual devices. */
export interface EthernetPortOptions {
  type: 'dpdk'
  /** Name of the port: 1 to 64 characters of `A-Z a-z 0-9 _ . : @ + -`. */
  name: string
  /** PCI address or virtual device with its arguments, as DPDK takes it: `0000:03:00.0`, `net_tap0,iface=tap0`. */
  devargs: string
  /** Rx queues, 1 to 16. Default 1. */
  rxQueues?: number | undefined
  /** Tx queues, 1 to 16. Default 1. */
  txQueues?: number | undefined
  /** Descriptors of an rx queue, a power of two. Default 1024. */
  rxDescriptors?: number | undefined
  /** Descriptors of a tx queue, a power of two. Default 1024. */
  txDescriptors?: number | undefined
  /** Longest payload of a frame, 68 to 9728 bytes and no more than the datapath's, which is the default. */
  mtu?: number | undefined
  /** `down`: its link is set down, and nothing is sent or received before it is set up. Default `up`. */
  adminState?: AdminState | undefined
  /** Rx queues that are pinned: names of lcores by queue, as for the other types. Default: none. */
  rxAffinity?: RxAffinity | undefined
  /** Holds back what would be sent above a rate. Default: none does. */
  egressShaper?: EgressShaper | undefined
}

/** A port, told apart by `type`; the types are those of OVS. */
export type PortOptions = VhostUserClientPortOptions | VhostUserPortOptions | EthernetPortOptions

/** {@link PortOptions} with defaults filled in. */
export type PortSpec = z.output<typeof portOptions>

/** Types of ports. */
export const PORT_TYPES = ['dpdkvhostuserclient', 'dpdkvhostuser', 'dpdk'] as const
