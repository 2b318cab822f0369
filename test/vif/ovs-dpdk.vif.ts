// A real OVS-DPDK, plugged by us, with libvirt's guests from our XML; and what the articles about migration show, printed on
// this machine and read by us.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ovsVsctlArguments } from '../../src/vif/index.js'
import { GuestPair, vifOf } from './stage/guests.js'
import { rolesInspected } from './stage/inspected.js'
import { Libvirt } from './stage/libvirt.js'
import { Machine, noMachine } from './stage/machine.js'
import { Ovs } from './stage/ovs.js'
import { transcripts } from './stage/transcripts.js'

interface Way {
  readonly qemuMode: 'client' | 'server'
  readonly folder: string
  readonly ovs: string
  readonly qemuGroup: string
  readonly socket: string
}

/** As of the articles. */
const WAYS: readonly Way[] = [
  {
    qemuMode: 'client',
    folder: '/var/run/openvswitch',
    ovs: 'root:qemu',
    qemuGroup: 'qemu',
    socket: 'root:qemu',
  },
  {
    qemuMode: 'server',
    folder: '/var/lib/vhost_sockets',
    ovs: 'openvswitch:hugetlbfs',
    qemuGroup: 'hugetlbfs',
    socket: 'qemu:hugetlbfs',
  },
]

for (const way of WAYS) {
  const { qemuMode, folder } = way
  test(`guests on OVS-DPDK, QEMU ${qemuMode}`, { skip: noMachine() }, async () => {
    await using machine = await Machine.start({ ovs: true })
    machine.must('groupadd', '--gid', '42477', 'hugetlbfs')
    machine.must('usermod', '--append', '--groups', 'hugetlbfs', 'openvswitch')
    const ovs = await Ovs.start(machine, way.ovs)
    if (qemuMode === 'server') {
      machine.must('install', '-d', '-o', 'qemu', '-g', 'hugetlbfs', '-m', '3775', folder)
    }
    const libvirt = await Libvirt.start(machine, way.qemuGroup)
    const vifs = [1, 2].map((number) => vifOf(number, qemuMode, folder))
    for (const vif of vifs) ovs.vsctl(...ovsVsctlArguments(vif))
    await using pair = await GuestPair.define(machine, libvirt, vifs)
    await pair.start()
    await pair.assertPing('with the first OVS')

    for (const [i, vif] of vifs.entries()) {
      const { name } = pair.guests[i] as (typeof pair.guests)[number]
      const { owners, ...read } = transcripts(machine, name, vif.socket)
      assert.deepEqual(owners, {
        ovs: way.ovs,
        qemu: `qemu:${way.qemuGroup}`,
        socket: way.socket,
      })
      assert.equal(read.ovs.name, vif.name)
      for (const [source, seen] of Object.entries(read))
        assert.equal(seen.qemuMode, qemuMode, source)
      assert.deepEqual([read.libvirt.mac, read.qemu.mac], [vif.mac, vif.mac])
    }

    const roles = `${qemuMode}/${qemuMode === 'server' ? 'client' : 'server'}, connected`
    assert.deepEqual(rolesInspected(machine), { vm1: roles, vm2: roles })

    const boots = await pair.bootIds()
    ovs.kill()
    await ovs.run()
    if (qemuMode === 'server') await pair.assertPing('with the next one')
    else await pair.assertNoPing('nobody connects again')
    assert.deepEqual(await pair.bootIds(), boots)
  })
}
