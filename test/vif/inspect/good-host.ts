/** A host on which all is well: vm1, by libvirt, listens for OVS. */
import {
  libvirtDomain,
  newGuest,
  newVif,
  type OvsdbRow,
  qemuArguments,
  type VifOptions,
} from '../../../src/vif/index.js'
import type { MadeUp } from './made-up-host.js'

export const FOLDER = '/var/lib/vhost_sockets'
export const SOCKET = `${FOLDER}/vhu1`
export const [QEMU, OVS, LIBVIRT_QEMU, OPENVSWITCH, HUGETLBFS, KVM] = [
  4711, 800, 64055, 990, 42477, 108,
]

const UUID = 'b6b1e2c6-9a2d-4a0a-8f5d-0e0b8c1f2a3b'
const VIF: VifOptions = {
  name: 'vhu1',
  socket: SOCKET,
  qemuMode: 'server',
  plug: 'ovs',
  mac: 'fa:16:3e:00:00:01',
  queues: 2,
}

/** What is another at a guest. */
export interface GuestChanges {
  readonly vif?: Partial<VifOptions>
  readonly guest?: Parameters<typeof newGuest>[0]
}

/** `virsh dumpxml`. */
export function domain({ vif, guest }: GuestChanges = {}): string {
  return libvirtDomain([newVif({ ...VIF, ...vif })], newGuest({ ...GUEST, ...guest }))
}

const GUEST = { name: 'vm1', uuid: UUID, vcpus: 2 }

/** The command line of its QEMU. */
export function command({ vif, guest }: GuestChanges = {}): string[] {
  const args = qemuArguments([newVif({ ...VIF, ...vif })], newGuest({ ...GUEST, ...guest }))
  return ['/usr/bin/qemu-system-x86_64', ...args]
}

/** An interface of OVS; what is undefined has its default. */
export function ovsInterface(columns: Partial<Record<string, OvsdbRow[string]>> = {}): OvsdbRow {
  return {
    _uuid: ['uuid', 'i1'],
    name: 'vhu1',
    type: 'dpdkvhostuserclient',
    options: ['map', [['vhost-server-path', SOCKET]]],
    external_ids: ['map', []],
    status: [
      'map',
      [
        ['mode', 'client'],
        ['status', 'connected'],
        ['n_rxq', '2'],
      ],
    ],
    error: ['set', []],
    mtu_request: ['set', []],
    admin_state: 'up',
    ...columns,
  } as OvsdbRow
}

/** Rows of OVS with that interface. */
export function ovs(
  one = ovsInterface(),
  { datapath = 'netdev', dpdk = true } = {},
): NonNullable<MadeUp['ovs']> {
  return {
    Open_vSwitch: [{ dpdk_initialized: dpdk }],
    Bridge: [{ name: 'br-int', datapath_type: datapath, ports: ['uuid', 'p1'] }],
    Port: [{ _uuid: ['uuid', 'p1'], name: 'vhu1', interfaces: ['uuid', 'i1'] }],
    Interface: [one],
  }
}

export const QEMU_PROCESS = {
  args: command(),
  uid: LIBVIRT_QEMU,
  gids: [HUGETLBFS, KVM],
  sockets: [1, 2],
}
export const OVS_PROCESS = {
  args: ['/usr/sbin/ovs-vswitchd', 'unix:/var/run/openvswitch/db.sock'],
  uid: OPENVSWITCH,
  gids: [OPENVSWITCH, HUGETLBFS],
  sockets: [3],
}

export const GOOD: MadeUp = {
  files: {
    '/etc/passwd': `root:x:0:0::/:/bin/sh\nlibvirt-qemu:x:${LIBVIRT_QEMU}:${KVM}::/:/bin/false\nopenvswitch:x:${OPENVSWITCH}:${OPENVSWITCH}::/:/bin/false\n`,
    '/etc/group': `root:x:0:\nkvm:x:${KVM}:libvirt-qemu\nopenvswitch:x:${OPENVSWITCH}:\nhugetlbfs:x:${HUGETLBFS}:openvswitch\n`,
    '/etc/libvirt/qemu.conf': '#user = "root"\ngroup = "hugetlbfs"\n',
    '/var/log/libvirt/qemu/vm1.log':
      '2026-11-21 10:00:00.000+0000: starting up libvirt version: 9.0.0\nchar device redirected to /dev/pts/1 (label charserial0)\n',
    [FOLDER]: { kind: 'folder', uid: LIBVIRT_QEMU, gid: HUGETLBFS, mode: 0o2775 },
    [SOCKET]: { kind: 'socket', uid: LIBVIRT_QEMU, gid: HUGETLBFS, mode: 0o775 },
  },
  processes: { [QEMU]: QEMU_PROCESS, [OVS]: OVS_PROCESS },
  sockets: [
    { path: SOCKET, inode: 1 },
    { path: SOCKET, inode: 2, peer: 3 },
  ],
  live: { vm1: domain() },
  config: { vm1: domain() },
  ovs: ovs(),
}
