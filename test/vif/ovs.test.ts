// os-vif, our command and our transaction leave the same rows in a real database, with an ovs-vswitchd beside it that has
// OVS's own dummy devices in place of DPDK: os-vif waits for it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  neutronPort,
  newVif,
  OvsdbClient,
  type OvsdbOperation,
  ovsdbTransaction,
  ovsVsctlArguments,
  parseVifs,
} from '../../src/vif/index.js'
import { noOvs, OpenVswitch } from './open-vswitch.js'
import { noPeers, openstack } from './peers.js'

const VM = 'b6b1e2c6-9a2d-4a0a-8f5d-0e0b8c1f2a3b'
const ID = 'c9f9a3a2-2a64-4b5e-9a7e-1f1d2c3b4a59'

describe('rows in a real OVSDB', { skip: noPeers || noOvs() }, () => {
  let ovs: OpenVswitch
  const vsctl = (...args: string[]) => ovs.vsctl(...args)

  before(async () => {
    ovs = await OpenVswitch.start()
    ovs.startDaemon()
  })

  after(() => ovs[Symbol.asyncDispose]())

  const rows = () => ovs.rows()

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
      await using client = await OvsdbClient.connect(ovs.remote)
      openstack(['plug', ovs.remote], { ...neutronPort(vif), vmId: VM })
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
      const [, ...operations] = ovsdbTransaction(vif).params
      const insert = () => client.transact(operations as readonly OvsdbOperation[])
      await insert()
      assert.deepEqual(rows(), theirs, 'transaction')

      await assert.rejects(insert(), { code: 'ERR_OVSDB_REFUSED', reason: 'timed out' })
      assert.deepEqual(rows(), theirs, 'a second transaction')
      vsctl('del-br', 'br-vif')
    })
  }
})
