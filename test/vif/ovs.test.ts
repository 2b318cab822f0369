// os-vif, our command and our transaction leave the same rows in a real database, with an ovs-vswitchd beside it that has
// OVS's own dummy devices in place of DPDK: os-vif waits for it.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { findOvs, type Ovs } from '../../bench/ovs/find.js'
import {
  neutronPort,
  newVif,
  ovsdbTransaction,
  ovsVsctlArguments,
  parseVifs,
} from '../../src/vif/index.js'
import { until } from '../support/loopback.js'
import { noPeers, openstack, run } from './peers.js'

const VM = 'b6b1e2c6-9a2d-4a0a-8f5d-0e0b8c1f2a3b'
const ID = 'c9f9a3a2-2a64-4b5e-9a7e-1f1d2c3b4a59'

function noOvs(): string | false {
  try {
    findOvs()
    return false
  } catch (error) {
    return (error as Error).message
  }
}

describe('rows in a real OVSDB', { skip: noPeers || noOvs() }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-vhost-vif-'))
  const socket = join(folder, 'db.sock')
  const env = { OVS_RUNDIR: folder, OVS_LOGDIR: folder, OVS_DBDIR: folder }
  const daemons: ChildProcess[] = []
  let ovs: Ovs
  const vsctl = (...args: string[]) => run(ovs.vsctl, [`--db=unix:${socket}`, ...args], '', env)

  function start(program: string, ...args: string[]): void {
    const options = { env: { ...process.env, ...env }, stdio: 'ignore', timeout: 90_000 } as const
    daemons.push(spawn(program, args, { ...options, killSignal: 'SIGKILL' }))
  }

  before(async () => {
    ovs = findOvs()
    const database = join(folder, 'conf.db')
    run(ovs.ovsdbTool, ['create', database, join(ovs.data, 'vswitch.ovsschema')])
    start(ovs.ovsdbServer, database, `--remote=punix:${socket}`, `--unixctl=${folder}/db.ctl`)
    await until('the database listens', () => existsSync(socket), 10_000)
    vsctl('--no-wait', 'init')
    const dummy = ['--enable-dummy=override', '--disable-system']
    start(ovs.vswitchd, `unix:${socket}`, ...dummy, `--unixctl=${folder}/ctl`)
  })

  after(async () => {
    for (const daemon of daemons) {
      const ended = once(daemon, 'close')
      if (daemon.exitCode === null && daemon.signalCode === null) {
        daemon.kill('SIGKILL')
        await ended
      }
    }
    rmSync(folder, { recursive: true })
  })

  /** What the port and its bridge are told to be, without what the daemon finds of them. */
  function rows(): unknown[] {
    const columns = {
      Bridge: 'name,datapath_type,external_ids,other_config,fail_mode',
      Port: 'name,tag,trunks,vlan_mode,external_ids,other_config',
      Interface: 'name,type,options,external_ids,other_config,mtu_request',
    }
    return Object.entries(columns).map(([table, names]) => {
      const list = vsctl('--format=json', `--columns=${names}`, 'list', table)
      const { headings, data } = JSON.parse(list) as { headings: string[]; data: unknown[][] }
      return { table, headings, data: data.map((row) => JSON.stringify(row)).sort() }
    })
  }

  for (const qemuMode of ['server', 'client'] as const) {
    test(`of a port whose QEMU is ${qemuMode}`, async () => {
      const vif = newVif({
        id: ID,
        mac: 'fa:16:3e:00:00:01',
        socket: '/var/run/openvswitch/vhuc9f9a3a2-2a',
        qemuMode,
        plug: 'ovs',
        mtu: 1450,
        bridge: 'br-vif',
        vmId: VM,
      })
      openstack(['plug', `unix:${socket}`], { ...neutronPort(vif), vmId: VM })
      const theirs = rows()
      const read = () => {
        const tables = ['Interface', 'Port', 'Bridge']
        return tables.map((table) => vsctl('--format=json', 'list', table).trim()).join('\n')
      }
      assert.deepEqual(parseVifs(read()).vifs, [vif])
      assert.equal(parseVifs(vsctl('show')).vifs[0]?.socket, vif.socket)

      vsctl('del-br', 'br-vif')
      for (const again of [false, true]) {
        vsctl(...ovsVsctlArguments(vif))
        assert.deepEqual(rows(), theirs, again ? 'the second time' : 'ovs-vsctl')
      }

      vsctl('del-port', vif.name)
      const { error, result } = await ask(socket, ovsdbTransaction(vif))
      assert.equal(error, null)
      assert.ok(
        result.every((one) => !('error' in one)),
        JSON.stringify(result),
      )
      assert.deepEqual(rows(), theirs, 'transaction')

      const second = await ask(socket, ovsdbTransaction(vif))
      assert.match(JSON.stringify(second.result), /timed out/)
      assert.deepEqual(rows(), theirs, 'a second transaction')
      vsctl('del-br', 'br-vif')
    })
  }
})

interface Answer {
  readonly error: unknown
  readonly result: readonly object[]
}

/** Sends one request; resolves with the answer. */
async function ask(path: string, request: object): Promise<Answer> {
  const socket = connect(path)
  try {
    socket.end(JSON.stringify(request))
    let text = ''
    for await (const data of socket.setTimeout(10_000, () => socket.destroy())) {
      text += data
      try {
        return JSON.parse(text) as Answer
      } catch {
        // More is to come.
      }
    }
    throw new Error(`no answer, but ${text}`)
  } finally {
    socket.destroy()
  }
}
