// Each finding on a made-up host that is well but for one thing: what is said, the fix, and that nothing else is said.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Inspection, type InspectOptions, inspectVifs } from '../../../src/vif/index.js'
import {
  command,
  domain,
  FOLDER,
  GOOD,
  type GuestChanges,
  HUGETLBFS,
  KVM,
  LIBVIRT_QEMU,
  OPENVSWITCH,
  OVS,
  OVS_PROCESS,
  ovs,
  ovsInterface,
  QEMU,
  QEMU_PROCESS,
  SOCKET,
} from './good-host.js'
import { type MadeUp, MadeUpHost } from './made-up-host.js'

/** The good host, with other files, processes and so on. */
function changed(changes: Partial<MadeUp>): MadeUp {
  return {
    ...GOOD,
    ...changes,
    files: { ...GOOD.files, ...changes.files },
    processes: { ...GOOD.processes, ...changes.processes },
  }
}

/** A guest that is another, in libvirt and in QEMU. */
function guest(changes: GuestChanges): Partial<MadeUp> {
  return {
    live: { vm1: domain(changes) },
    config: { vm1: domain(changes) },
    processes: { [QEMU]: { ...QEMU_PROCESS, args: command(changes) } },
  }
}

const LISTENS = [{ path: SOCKET, inode: 1 }]
const WAITING = ovs(ovsInterface({ status: ['map', [['status', 'disconnected']]] }))
const NOTHING = { sockets: [], ovs: WAITING }
const noSocket = { [SOCKET]: undefined }

type Ports = InspectOptions['ports']

function look(made: MadeUp, ports?: Ports): Promise<Inspection> {
  return inspectVifs({ host: new MadeUpHost(made), ports })
}

test('of a host on which all is well nothing is said, and the table has every side', async () => {
  const { findings, ports, sources } = await look(GOOD)
  assert.deepEqual(findings, [])
  assert.deepEqual(ports, [
    {
      vm: 'vm1',
      port: 'vhu1',
      switch: 'OVS',
      bridge: 'br-int',
      socket: SOCKET,
      qemuRole: 'server',
      switchRole: 'client',
      isRunning: true,
      listening: ['qemu-system-x86_64 4711'],
      connected: ['ovs-vswitchd 800'],
      owner: 'libvirt-qemu',
      group: 'hugetlbfs',
      mode: '0775',
      sharedMemory: true,
      memory: 'memfd',
      queues: { qemu: 2, switch: undefined, used: 2 },
      state: 'connected',
    },
  ])
  assert.deepEqual(
    sources.map(({ source, state }) => `${source} ${state}`),
    ['libvirt read', 'qemu.conf read', 'QEMU read', 'OVS read', 'logs read'],
  )
})

interface Case {
  readonly made: Partial<MadeUp>
  readonly ports?: Ports
  /** All that is found, each as `severity check: seen`, and its fix. */
  readonly found: readonly (readonly [seen: RegExp, fix: RegExp])[]
}

const ours = (type: 'dpdkvhostuserclient' | 'dpdkvhostuser', more = {}): Ports => [
  { switch: 'vswitch', name: 'vhost0', type, socket: SOCKET, state: 'ready', pid: OVS, ...more },
]

const cases: Record<string, Case> = {
  'both servers': {
    made: {
      ...NOTHING,
      sockets: LISTENS,
      ovs: ovs(ovsInterface({ type: 'dpdkvhostuser', status: ['map', [['socket', SOCKET]]] })),
    },
    found: [
      [
        /^error roles: vm1 vhu1: both sides are servers/,
        /^ovs-vsctl set Interface vhu1 type=dpdkvhostuserclient options:vhost-server-path=\/var\/lib\/vhost_sockets\/vhu1$/,
      ],
      [/^warning roles: .*deprecated/, /./],
    ],
  },
  'both clients': {
    made: {
      ...guest({ vif: { qemuMode: 'client' } }),
      ...NOTHING,
      files: noSocket,
    },
    found: [
      [
        /^error roles: vm1 vhu1: both sides are clients/,
        /^virsh dumpxml --inactive vm1 \| sed -e "s\|path='\S+' mode='client'\|path='\S+' mode='server'\|" \| virsh define \/dev\/stdin && virsh shutdown vm1 /,
      ],
    ],
  },
  'both clients, and Nova made the guest': {
    made: {
      ...guest({ vif: { qemuMode: 'client' } }),
      live: {
        vm1: domain({ vif: { qemuMode: 'client' } }).replace(
          '<devices>',
          "<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'/></metadata><devices>",
        ),
      },
      ...NOTHING,
      files: noSocket,
    },
    found: [[/^error roles: .*both sides are clients/, /^openstack server migrate b6b1e2c6-/]],
  },
  'both servers, with a switch of ours': {
    made: { sockets: LISTENS, ovs: undefined },
    ports: ours('dpdkvhostuser', { state: 'listening', bridge: 'br0' }),
    found: [
      [
        /^error roles: vm1 vhost0: both sides are servers/,
        /^vswitch port delete vhost0 && vswitch port add vhost0 type=dpdkvhostuserclient path=\S+ --bridge br0/,
      ],
    ],
  },
  'a deprecated type': {
    made: {
      ...guest({ vif: { qemuMode: 'client' } }),
      sockets: [
        { path: SOCKET, inode: 3 },
        { path: SOCKET, inode: 4, peer: 1 },
      ],
      processes: {
        [QEMU]: { ...QEMU_PROCESS, args: command({ vif: { qemuMode: 'client' } }), sockets: [1] },
        [OVS]: { ...OVS_PROCESS, sockets: [3, 4] },
      },
      ovs: ovs(
        ovsInterface({
          type: 'dpdkvhostuser',
          status: [
            'map',
            [
              ['socket', SOCKET],
              ['status', 'connected'],
            ],
          ],
        }),
      ),
    },
    found: [
      [
        /^warning roles: vm1 vhu1: the type dpdkvhostuser is deprecated/,
        /^sudo vswitch vif migrate plan vm1 --ovs$/,
      ],
    ],
  },
  'a QEMU that connects only once': {
    made: {
      ...guest({ vif: { qemuMode: 'client' } }),
      ovs: undefined,
      sockets: [
        { path: SOCKET, inode: 3 },
        { path: SOCKET, inode: 4, peer: 1 },
      ],
      processes: {
        [QEMU]: { ...QEMU_PROCESS, args: command({ vif: { qemuMode: 'client' } }), sockets: [1] },
        [OVS]: { ...OVS_PROCESS, sockets: [3, 4] },
      },
    },
    ports: ours('dpdkvhostuser'),
    found: [
      [/^warning roles: vm1 vhost0: QEMU connects once/, /^sudo vswitch vif migrate plan vm1$/],
    ],
  },
  'memory that is not shared': {
    made: guest({ guest: { memory: 'anonymous', shared: false } }),
    found: [
      [
        /^error memory: vm1 vhu1: the memory of the guest \(anonymous\) is not shared/,
        /<memoryBacking><source type='memfd'\/><access mode='shared'\/><\/memoryBacking><vcpu.*virsh define/,
      ],
    ],
  },
  'hugepages that are not shared': {
    made: guest({ guest: { memory: 'hugepages', shared: false } }),
    found: [
      [
        /^error memory: vm1 vhu1: .*hugepages without memAccess='shared'/,
        /memAccess='private'\|memAccess='shared'\|.*<access mode='shared'.*virsh define/,
      ],
    ],
  },
  'memory that will not be shared': {
    made: { config: { vm1: domain({ guest: { shared: false } }) } },
    found: [[/^warning memory: vm1 vhu1: .*will not be when it is started again/, /virsh define/]],
  },
  'a group that is not shared': {
    made: {
      sockets: LISTENS,
      ovs: WAITING,
      files: {
        [SOCKET]: { kind: 'socket', uid: LIBVIRT_QEMU, gid: KVM, mode: 0o775 },
        '/etc/libvirt/qemu.conf': '',
      },
    },
    found: [
      [
        /^error permissions: vm1 vhu1: the socket is of libvirt-qemu:kvm \(0775\), and openvswitch is not in that group/,
        /^sudo setfacl -m u:openvswitch:rw \S+vhu1 .*group = "hugetlbfs".* \/etc\/libvirt\/qemu\.conf && sudo systemctl restart libvirtd/,
      ],
    ],
  },
  'a mode that refuses': {
    made: {
      sockets: LISTENS,
      ovs: WAITING,
      files: { [SOCKET]: { kind: 'socket', uid: LIBVIRT_QEMU, gid: HUGETLBFS, mode: 0o755 } },
    },
    found: [
      [
        /^error permissions: vm1 vhu1: the mode 0755 of the socket lets its group hugetlbfs not write/,
        /^sudo chmod g\+w \/var\/lib\/vhost_sockets\/vhu1$/,
      ],
    ],
  },
  'a mode that refuses, and a list that does not': {
    made: {
      sockets: LISTENS,
      ovs: WAITING,
      files: { [SOCKET]: { kind: 'socket', uid: LIBVIRT_QEMU, gid: KVM, mode: 0o775 } },
      acl: `# file: ${SOCKET}\n# owner: ${LIBVIRT_QEMU}\nuser::rwx\nuser:${OPENVSWITCH}:rw-\ngroup::r-x\nmask::rwx\nother::r-x\n\n`,
    },
    found: [[/^warning socket: vm1 vhu1: not connected/, /see the log/]],
  },
  'a folder that may not be entered': {
    made: {
      sockets: LISTENS,
      ovs: WAITING,
      files: { [FOLDER]: { kind: 'folder', uid: LIBVIRT_QEMU, gid: KVM, mode: 0o750 } },
    },
    found: [
      [
        /^error permissions: .*vhost_sockets \(libvirt-qemu:kvm 0750\) may not be entered by openvswitch, as whom OVS runs/,
        /^sudo setfacl -m u:openvswitch:x \/var\/lib\/vhost_sockets$/,
      ],
    ],
  },
  'a folder in which QEMU cannot make the socket': {
    made: {
      ...NOTHING,
      files: {
        ...noSocket,
        [FOLDER]: { kind: 'folder', uid: OPENVSWITCH, gid: OPENVSWITCH, mode: 0o755 },
      },
    },
    found: [
      [
        /^error permissions: .*may not be written to by libvirt-qemu, as whom QEMU runs/,
        /^sudo setfacl -m u:libvirt-qemu:rwx \/var\/lib\/vhost_sockets$/,
      ],
    ],
  },
  'a folder that is not there': {
    made: { ...NOTHING, files: { ...noSocket, [FOLDER]: undefined } },
    found: [
      [
        /^error permissions: vm1 vhu1: the folder \/var\/lib\S* does not exist/,
        /^sudo install -d -o libvirt-qemu -g hugetlbfs -m 2775 \/var\/lib\/vhost_sockets$/,
      ],
    ],
  },
  'a guest that is off, whose group will not be shared': {
    made: {
      ...NOTHING,
      live: {},
      processes: { [QEMU]: undefined },
      files: {
        ...noSocket,
        [FOLDER]: { kind: 'folder', uid: LIBVIRT_QEMU, gid: HUGETLBFS, mode: 0o775 },
        '/etc/libvirt/qemu.conf': '',
      },
    },
    found: [
      [
        /^error permissions: .*will be of libvirt-qemu:kvm, and openvswitch, as whom OVS runs, is not in that group/,
        /group = "hugetlbfs"/,
      ],
    ],
  },
  'a folder that all may write to': {
    made: { files: { [FOLDER]: { kind: 'folder', uid: 0, gid: 0, mode: 0o777 } } },
    found: [[/^warning permissions: .*everybody may write/, /^sudo chmod o-w \S+vhost_sockets$/]],
  },
  'a path that is too long': {
    made: {
      live: {},
      processes: { [QEMU]: undefined },
      ...NOTHING,
      files: noSocket,
      config: { vm1: domain().replace(SOCKET, `/${'x'.repeat(120)}`) },
      ovs: undefined,
    },
    found: [[/^error port: vm1 interface vhu1: socket has 121 bytes .* at most 107.*: \/xxx/, /./]],
  },
  'a path that is too long in OVS': {
    made: {
      live: {},
      config: {},
      sockets: [],
      files: noSocket,
      processes: { [QEMU]: undefined },
      ovs: ovs(ovsInterface({ options: ['map', [['vhost-server-path', `/${'x'.repeat(120)}`]]] })),
    },
    found: [[/^error port: OVSDB: interface vhu1: socket has 121 bytes/, /./]],
  },
  'a stale socket': {
    made: { sockets: [], ovs: WAITING },
    found: [
      [
        /^warning socket: vm1 vhu1: \S+ is stale: a socket on which nobody listens/,
        /^sudo rm \/var\/lib\/vhost_sockets\/vhu1$/,
      ],
    ],
  },
  'a stale socket of a guest that is off': {
    made: { ...NOTHING, live: {}, processes: { [QEMU]: undefined } },
    found: [[/^note socket: vm1 vhu1: \S+ is stale/, /^sudo rm /]],
  },
  'a file in the way': {
    made: { ...NOTHING, files: { [SOCKET]: 'x' } },
    found: [[/^error socket: vm1 vhu1: \S+ is no socket/, /^sudo mv \S+vhu1 \S+vhu1\.old$/]],
  },
  'a socket that was removed under a guest': {
    made: { sockets: LISTENS, ovs: WAITING, files: noSocket },
    found: [
      [
        /^error socket: vm1 vhu1: qemu-system-x86_64 4711 listens on \S+, and there is no such file/,
        /^virsh shutdown vm1/,
      ],
    ],
  },
  'a stranger that listens': {
    made: {
      sockets: [{ path: SOCKET, inode: 9 }],
      ovs: WAITING,
      processes: { 99: { args: ['nc', '-lU', SOCKET], uid: 0, gids: [0], sockets: [9] } },
    },
    found: [[/^error socket: .*nc 99 \(user root\) listens on/, /^sudo kill 99 /]],
  },
  'a guest of another kind, which a switch of ours uses': {
    made: {
      ...{ live: {}, config: {}, ovs: undefined },
      processes: { [QEMU]: undefined, 99: { args: ['guest'], uid: 0, gids: [0], sockets: [1, 2] } },
    },
    ports: ours('dpdkvhostuserclient', { isConnected: true }),
    found: [],
  },
  'one that it cannot use': {
    made: {
      ...{ live: {}, config: {}, ovs: undefined, sockets: LISTENS },
      processes: { [QEMU]: undefined, 99: { args: ['guest'], uid: 0, gids: [0], sockets: [1] } },
    },
    ports: ours('dpdkvhostuserclient', { isConnected: false }),
    found: [[/^error socket: vhost0: guest 99 \(user root\) listens on/, /^sudo kill 99 /]],
  },
  "a socket in OVS's own folder": {
    made: {
      ...guest({ vif: { socket: '/var/run/openvswitch/vhu1' } }),
      files: {
        '/run/openvswitch': { kind: 'folder', uid: LIBVIRT_QEMU, gid: HUGETLBFS, mode: 0o775 },
        '/run/openvswitch/vhu1': { kind: 'socket', uid: LIBVIRT_QEMU, gid: HUGETLBFS, mode: 0o775 },
      },
      sockets: [
        { path: '/var/run/openvswitch/vhu1', inode: 1 },
        { path: '/var/run/openvswitch/vhu1', inode: 2, peer: 3 },
      ],
      ovs: ovs(
        ovsInterface({ options: ['map', [['vhost-server-path', '/run/openvswitch/vhu1']]] }),
      ),
    },
    found: [
      [
        /^note socket: vm1 vhu1: QEMU makes its socket in \/run\/openvswitch/,
        /vhostuser_socket_dir/,
      ],
    ],
  },
  'more queues than a port of ours has': {
    made: { ovs: undefined },
    ports: ours('dpdkvhostuserclient', { queues: 1 }),
    found: [
      [
        /^error queues: vm1 vhost0: QEMU has 2 queue pairs, vswitch 1 queue pair/,
        /^vswitch port set vhost0 queues=2 /,
      ],
    ],
  },
  'fewer queues in use': {
    made: { ovs: undefined },
    ports: ours('dpdkvhostuserclient', { queues: 4, usedQueues: 1 }),
    found: [[/^note queues: vm1 vhost0: the guest uses 1 of 2 queue pairs/, /ethtool -L/]],
  },
  'an MTU that does not fit': {
    made: { ...guest({ vif: { mtu: 9000 } }), ovs: undefined },
    ports: ours('dpdkvhostuserclient', { mtu: 1500 }),
    found: [[/^warning MTU: .*an MTU of 9000, vswitch takes 1500/, /mtu=9000/]],
  },
  'an error of OVS': {
    made: { ovs: ovs(ovsInterface({ error: 'could not open network device vhu1' })) },
    found: [[/^error OVS: interface vhu1: could not open/, /^grep -F vhu1 /]],
  },
  'OVS without DPDK': {
    made: { ovs: ovs(ovsInterface(), { dpdk: false }) },
    found: [[/^error OVS: DPDK is not initialized/, /other_config:dpdk-init=true/]],
  },
  'a bridge of the kernel': {
    made: { ovs: ovs(ovsInterface(), { datapath: 'system' }) },
    found: [
      [
        /^error OVS: the bridge br-int has the datapath system/,
        /^ovs-vsctl set Bridge br-int datapath_type=netdev$/,
      ],
    ],
  },
  'a guest that no switch has': {
    made: { sockets: LISTENS, ovs: { ...ovs(), Interface: [] } },
    found: [[/^warning switch: vm1 vhu1: no switch has a port/, /^ovs-vsctl .*add-port/]],
  },
  'a port that two switches have': {
    made: {},
    ports: ours('dpdkvhostuserclient'),
    found: [
      [
        /^error socket: .*vswitch vhost0 and OVS vhu1 have the same socket/,
        /^vswitch port delete vhost0/,
      ],
    ],
  },
  'two guests with one socket': {
    made: {
      processes: {
        5000: {
          ...QEMU_PROCESS,
          args: command({ guest: { name: 'vm2', uuid: 'b6b1e2c6-9a2d-4a0a-8f5d-0e0b8c1f2a3c' } }),
          sockets: [],
        },
      },
    },
    found: [[/^error socket: .*vm1 and vm2 have the same socket/, /path of its own/]],
  },
  'a port that is down': {
    made: { sockets: LISTENS, ovs: undefined },
    ports: ours('dpdkvhostuserclient', { state: 'down', isConnected: false }),
    found: [[/^warning switch: vm1 vhost0: the port is down/, /adminState=up/]],
  },
  'a domain that was changed and not started again': {
    made: { config: { vm1: domain({ vif: { qemuMode: 'client' } }) } },
    found: [
      [
        /^note libvirt: vm1 vhu1: when it is started again: qemuMode is server, and will be client/,
        /^virsh shutdown vm1 /,
      ],
    ],
  },
  'a group that is not there': {
    made: {
      files: { '/etc/group': `root:x:0:\nopenvswitch:x:${OPENVSWITCH}:\n` },
    },
    found: [
      [
        /^error libvirt: \/etc\/libvirt\/qemu\.conf names the group hugetlbfs, and there is none/,
        /^sudo groupadd -g 42477 hugetlbfs$/,
      ],
    ],
  },
}

const START = '2026-11-21 10:00:00.000+0000: starting up libvirt version: 9.0.0\n'
const log = (text: string): Partial<MadeUp> => ({
  files: {
    '/var/log/libvirt/qemu/vm1.log': `UNIX socket path 'old' is too long\n${START}${text}\n`,
  },
})

/** As QEMU 7.2 writes them. */
const lines: Record<string, readonly [line: string, fix: RegExp]> = {
  memory: [
    'qemu: Failed initializing vhost-user memory map, consider using -object memory-backend-file share=on',
    /memoryBacking/,
  ],
  'a refused connection': [
    `qemu: -chardev socket,id=c0: Failed to connect to '${SOCKET}': Permission denied`,
    /^namei -l \/var\/lib\/vhost_sockets\/vhu1$/,
  ],
  'nobody who listens': [
    `qemu: -chardev socket,id=c0: Failed to connect to '${SOCKET}': No such file or directory`,
    /^virsh shutdown vm1/,
  ],
  'a path that is taken': [
    `qemu: -chardev socket,id=c0: Failed to bind socket to ${SOCKET}: Address already in use`,
    /^ls -ld /,
  ],
  queues: ['qemu: you are asking more queues than supported: 1', /queues=2/],
}
for (const [name, [line, fix]] of Object.entries(lines)) {
  cases[`in the log: ${name}`] = {
    made: { ...log(line), sockets: LISTENS, ovs: WAITING },
    found: [
      [/^error QEMU log: vm1: qemu/, fix],
      [/^warning socket: vm1 vhu1: not connected/, /./],
    ],
  }
}

describe('what is found, and nothing else', () => {
  for (const [name, { made, ports, found }] of Object.entries(cases)) {
    test(name, async () => {
      const { findings } = await look(changed(made), ports)
      const said = findings.map(({ severity, check, seen }) => `${severity} ${check}: ${seen}`)
      assert.equal(said.length, found.length, JSON.stringify(findings, undefined, 1))
      for (const [i, [seen, fix]] of found.entries()) {
        assert.match(said[i] as string, seen)
        assert.match(findings[i]?.fix ?? 'none', fix)
      }
    })
  }
})

describe('what may not be read is told, and the rest is there', () => {
  const states = async (made: Partial<MadeUp>) => {
    const { sources, ports } = await look(changed(made))
    const told = sources.flatMap(({ source, state, seen }) =>
      state === 'read' ? [] : `${source} ${state}: ${seen}`,
    )
    return { told, ports }
  }

  test('open files of others', async () => {
    const { sockets: _, ...hidden } = QEMU_PROCESS
    const { told, ports } = await states({ processes: { [QEMU]: hidden } })
    assert.deepEqual(told, [
      'qemu-system-x86_64 4711 partly: /proc/4711/fd needs root: what it has open is told by role',
    ])
    assert.deepEqual(ports[0]?.listening, ['QEMU'])
    assert.deepEqual(ports[0]?.connected, ['ovs-vswitchd 800'])
  })

  test('the other ends of sockets, without ss', async () => {
    const { told, ports } = await states({ without: ['ss'] })
    assert.deepEqual(told, ['ss absent: who is connected is told by role: there is no ss'])
    assert.deepEqual(ports[0]?.connected, ['OVS'])
  })

  test('files of libvirt, without virsh', async () => {
    const { told, ports } = await states({
      without: ['virsh'],
      files: { '/etc/libvirt/qemu/forbidden': 'forbidden' },
    })
    assert.match(told[0] as string, /^libvirt unread: virsh: .*\/etc\/libvirt\/qemu need root/)
    assert.equal(ports[0]?.vm, 'vm1')
  })

  test('files of libvirt that may be read', async () => {
    const { told, ports } = await states({
      without: ['virsh'],
      files: { '/run/libvirt/qemu/vm1.xml': `<domstatus state='running'>${domain()}</domstatus>` },
    })
    assert.deepEqual(told, [])
    assert.equal(ports[0]?.port, 'vhu1')
  })

  test('a log, a folder, OVS', async () => {
    const { told } = await states({
      files: { '/var/log/libvirt/qemu/vm1.log': 'forbidden', [FOLDER]: 'forbidden' },
      ovs: undefined,
    })
    assert.deepEqual(
      told.map((line) => line.split(':')[0]),
      ['OVS absent', 'logs unread', 'files partly'],
    )
  })

  test('a socket that libvirt opened and handed over is found among the open files', async () => {
    const args = command().map((arg) => arg.replace(`path=${SOCKET}`, 'fd=10'))
    const { ports, told } = await states({
      live: {},
      config: {},
      processes: { [QEMU]: { ...QEMU_PROCESS, args } },
    })
    assert.deepEqual(told, [])
    assert.deepEqual(ports[0]?.vm, 'vm1')
    assert.deepEqual(ports[0]?.socket, SOCKET)
  })

  test('sockets of a container are in a table of its own', async () => {
    const { ports } = await states({
      processes: { [QEMU]: { ...QEMU_PROCESS, network: 2 } },
      sockets: [],
      files: { [`/proc/${QEMU}/net/unix`]: `x: 0 0 00010000 0001 01 1 ${SOCKET}\n` },
    })
    assert.deepEqual(ports[0]?.listening, ['qemu-system-x86_64 4711'])
  })
})
