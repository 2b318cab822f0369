/** Views as text for people, letter by letter. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { LcoreCounters, PortCounters, PortStatus, RxCounters, TxCounters } from 'dpdk-vhost'
import { columns } from '../../../src/switch/cli/text/columns.js'
import { explainText, flowsText } from '../../../src/switch/cli/text/flows.js'
import { lcoresText } from '../../../src/switch/cli/text/lcores.js'
import { macText } from '../../../src/switch/cli/text/mac.js'
import { newPaint } from '../../../src/switch/cli/text/paint.js'
import { ranges, vlanText } from '../../../src/switch/cli/text/port-state.js'
import { portsText } from '../../../src/switch/cli/text/ports.js'
import { reloadText } from '../../../src/switch/cli/text/reload.js'
import { durationText, showText } from '../../../src/switch/cli/text/show.js'
import { statsText } from '../../../src/switch/cli/text/stats.js'
import type { FlowView, PortView, SwitchView } from '../../../src/switch/control.js'

const plain = newPaint(false)

const status: PortStatus = {
  state: 'ready',
  adminState: 'up',
  generation: 1,
  time: 0,
  reason: undefined,
  rxQueues: [0, 1],
  txQueues: [0, 1],
  offered: [],
  negotiated: undefined,
}

const port: PortView = {
  id: 3,
  name: 'vhost0',
  bridge: 'br0',
  type: 'dpdkvhostuserclient',
  path: '/run/vm/vhost0.sock',
  role: 'client',
  state: 'ready',
  status,
  vlanMode: 'access',
  tag: 10,
  trunks: [],
  mtu: 1500,
  queues: 2,
}

const waiting: PortView = {
  ...port,
  id: 12,
  name: 'a-port-of-a-longer-name',
  state: 'connecting',
  status: { ...status, state: 'connecting', reason: 'no such socket', rxQueues: [], txQueues: [] },
  vlanMode: 'native-untagged',
  tag: 5,
  trunks: [5, 6, 7, 9],
}

const rx: RxCounters = {
  frames: 5,
  bytes: 300,
  droppedByProgram: 1,
  droppedBadVerdict: 0,
  droppedBadOffset: 0,
  droppedNoSuchPort: 2,
  droppedProgramError: 0,
  droppedOversize: 1,
}
const tx: TxCounters = {
  frames: 2,
  bytes: 120,
  droppedRingFull: 0,
  droppedNotConnected: 0,
  droppedOversize: 0,
  retries: 7,
  calls: 1,
  droppedShaperFull: 0,
}
const shaperQueue = { frames: 0, bytes: 0 }
const peer = { stalls: 0, flaps: 0, memoryFaults: 0 }
const counters: PortCounters = { rx, tx, rxQueues: [rx], txQueues: [tx], shaperQueue, peer }
const guards = {
  ingressPoliced: 0,
  portSecurity: 4,
  vlan: 0,
  storm: 0,
  loop: 0,
  egressPoliced: 0,
}

const flow: FlowView = {
  table: 0,
  priority: 10,
  cookie: '0x1f',
  match: 'tcp,in_port=vhost0',
  actions: 'output:vhost1',
  packets: 7,
  bytes: 420,
  duration: 12.3456,
  idle: 3.9,
  idleTimeout: 60,
  hardTimeout: 0,
}

const view: SwitchView = {
  version: '0.1.0',
  dpdkVersion: 'DPDK 22.11.11',
  pid: 42,
  uptime: 3723,
  config: '/etc/vswitch.yaml',
  memory: { kind: 'memfd', mib: 256, frames: 65536 },
  bridges: [
    {
      name: 'br0',
      decides: 'flows',
      rules: 1,
      program: undefined,
      macs: { size: 2, limit: 8192, moves: 0, flaps: 0 },
      mirrors: [
        {
          name: 'probe',
          outputPort: 'vhost0',
          outputVlan: undefined,
          snaplen: undefined,
          frames: 3,
          bytes: 180,
        },
      ],
      ports: [port, waiting],
    },
    {
      name: 'br1',
      decides: 'program',
      rules: 0,
      program: { file: '/p.ts', loadedAt: 0, aside: true, errors: 3 },
      macs: { size: 0, limit: 8192, moves: 0, flaps: 0 },
      mirrors: [],
      ports: [],
    },
  ],
  lcores: ['lcore0', 'lcore1'],
}

test('show is laid out as ovs-vsctl show', () => {
  assert.equal(
    showText(view, plain),
    `vswitch 0.1.0
    pid: 42, up 1h 2m 3s
    config: "/etc/vswitch.yaml"
    memory: 256 MiB memfd, 65536 frames
    lcores: [lcore0, lcore1]
    Bridge br0
        decides: flows (1 rule)
        macs: 2 of 8192
        Port vhost0
            tag: 10
            Interface vhost0
                type: dpdkvhostuserclient
                options: {vhost-server-path="/run/vm/vhost0.sock"}
                state: ready
        Port a-port-of-a-longer-name
            tag: 5
            trunks: [5, 6, 7, 9]
            vlan_mode: native-untagged
            Interface a-port-of-a-longer-name
                type: dpdkvhostuserclient
                options: {vhost-server-path="/run/vm/vhost0.sock"}
                state: connecting
                reason: "no such socket"
        Mirror probe
            output_port: vhost0
            tx pkts=3, bytes=180
    Bridge br1
        decides: program "/p.ts"
        error: "the program threw too often and was put aside"
        macs: 0 of 8192
    dpdk_version: "DPDK 22.11.11"`,
  )
})

test('ports are a table whose columns hold', () => {
  assert.equal(
    portsText([port, waiting], plain),
    `id  name                     bridge  type                 state       vlan                            rxq  txq   mtu  path
 3  vhost0                   br0     dpdkvhostuserclient  ready       access 10                       0-1  0-1  1500  /run/vm/vhost0.sock
12  a-port-of-a-longer-name  br0     dpdkvhostuserclient  connecting  native-untagged 5 trunks 5-7,9  -    -    1500  /run/vm/vhost0.sock

a-port-of-a-longer-name: no such socket`,
  )
  const down = { ...port, state: 'closed', status: { ...status, adminState: 'down' } } as PortView
  assert.match(portsText([down], plain), / closed \(down\) /)
  assert.equal(vlanText({ ...port, vlanMode: 'trunk', tag: undefined }), 'trunk')
  assert.equal(ranges([9, 1, 2, 3]), '1-3,9')
})

test('flows are lines of ovs-ofctl dump-flows', () => {
  assert.equal(
    flowsText([flow], plain),
    ' cookie=0x1f, duration=12.346s, table=0, n_packets=7, n_bytes=420, idle_timeout=60, idle_age=3, priority=10,tcp,in_port=vhost0 actions=output:vhost1',
  )
  const all = { ...flow, priority: 32768, match: '', actions: 'NORMAL', idleTimeout: 0 }
  assert.equal(
    flowsText([{ ...all, hardTimeout: 9 }], plain),
    ' cookie=0x1f, duration=12.346s, table=0, n_packets=7, n_bytes=420, hard_timeout=9, idle_age=3, actions=NORMAL',
  )
  assert.equal(flowsText([], plain), '')
})

test('explain tells how each table is searched, then the source', () => {
  const tables = [{ table: 0, rules: 2, searches: [{ kind: 'hash', rules: 2, fields: 'nw_src' }] }]
  assert.equal(
    explainText({ tables, source: 'return 1' }, plain),
    'table  search  rules  fields\n    0  hash        2  nw_src\n\nreturn 1',
  )
})

test('addresses have the columns of fdb/show', () => {
  const entry = { portId: 1, vlan: 10, mac: 'fa:16:3e:00:00:01', age: 7.6, static: false }
  assert.equal(
    macText(
      [
        { port: 'vhost0', ...entry },
        { port: 'v1', ...entry, vlan: 0, static: true },
      ],
      plain,
    ),
    `  port  VLAN  MAC                Age
vhost0    10  fa:16:3e:00:00:01    7
    v1     0  fa:16:3e:00:00:01  static`,
  )
  // Letter by letter what OVS prints.
  assert.equal(macText([], plain), ' port  VLAN  MAC                Age')
})

test('lcores are laid out as pmd-rxq-show', () => {
  const lcore: LcoreCounters = {
    frames: 10,
    polls: 100,
    emptyPolls: 90,
    busyCycles: 25,
    totalCycles: 100,
    sleeps: 3,
    framesMade: 0,
    framesNotMade: 0,
    framesCopied: 0,
    burstSizes: [],
    made: rx,
  }
  const queue = { port: 'vhost0', queue: 0, enabled: true, pinned: true }
  assert.equal(
    lcoresText(
      [
        { name: 'lcore0', index: 0, cpu: 1, counters: lcore, rxQueues: [queue] },
        {
          name: 'lcore1',
          index: 1,
          cpu: undefined,
          counters: { ...lcore, totalCycles: 0 },
          rxQueues: [queue, { ...queue, queue: 11, enabled: false, pinned: false }],
        },
      ],
      plain,
    ),
    `lcore thread lcore0 core_id 1:
  isolated : true
  port: vhost0            queue-id:  0 (enabled)   pinned
  usage: 25 %
  polls: 100 (90 empty), sleeps: 3
lcore thread lcore1 core_id any:
  isolated : false
  port: vhost0            queue-id:  0 (enabled)   pinned
  port: vhost0            queue-id: 11 (disabled)
  usage: 0 %
  polls: 100 (90 empty), sleeps: 3`,
  )
})

test('stats are laid out as dump-ports, with the reasons of drops', () => {
  const text = statsText(
    {
      ports: { vhost0: { ...counters, guards } },
      bridges: { br0: { size: 2, staticMacs: 1 } },
      mirrors: [{ bridge: 'br0', name: 'probe', frames: 3, bytes: 180 }],
    },
    plain,
  )
  assert.equal(
    text,
    `1 port
  port "vhost0": rx pkts=5, bytes=300, drop=4, errs=2, over=1
           tx pkts=2, bytes=120, drop=0, errs=0, retries=7
           rx drops: by_program=1, no_such_port=2, oversize=1
           guard drops: port_security=4
  bridge "br0": size=2, static_macs=1
  mirror "probe" of bridge "br0": tx pkts=3, bytes=180`,
  )
})

test('reload tells what was done and what was not', () => {
  assert.equal(reloadText({ changes: [], pending: [], warnings: [] }), 'nothing has changed')
  const text = reloadText({
    changes: ['port a: added'],
    pending: ['mtu: needs a restart'],
    warnings: ['f:1:2: x'],
  })
  assert.equal(text, 'port a: added\nnot done: mtu: needs a restart\nwarning: f:1:2: x')
})

test('durations', () => {
  assert.deepEqual([0.4, 59, 60, 86_461].map(durationText), ['0s', '59s', '1m 0s', '1d 0h 1m 1s'])
})

test('colours do not move columns', () => {
  const rows = [
    ['a', ['ready', 'good'], 'x'],
    ['bb', ['no', undefined], 'y'],
  ] as const
  const text = columns(['n', 'state', 'z'], rows, newPaint(true))
  assert.ok(text.includes('\x1b[32mready\x1b[0m'))
  const bare = columns(['n', 'state', 'z'], rows, newPaint(false))
  assert.equal(stripVTControlCharacters(text), bare)
})
