// Guests whose QEMU connects to a real OVS-DPDK come to have one that listens: what a restart of OVS does to them before,
// and after.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ovsVsctlArguments, parseLibvirt, parseOvsShow, parseQemu } from '../../src/vif/index.js'
import { GuestPair, vifOf } from './stage/guests.js'
import { Libvirt } from './stage/libvirt.js'
import { Machine, noMachine } from './stage/machine.js'
import { Ovs } from './stage/ovs.js'
import { vswitch } from './stage/vswitch.js'

const RUN = '/var/run/openvswitch'
const FOLDER = '/var/lib/vhost_sockets'

test('guests of OVS-DPDK migrate, and survive its restart from then on', {
  skip: noMachine(),
}, async () => {
  await using machine = await Machine.start({ ovs: true })
  const ovs = await Ovs.start(machine, 'root:qemu')
  const libvirt = await Libvirt.start(machine, 'qemu')
  const vifs = [1, 2].map((number) => vifOf(number, 'client', RUN))
  for (const vif of vifs) ovs.vsctl(...ovsVsctlArguments(vif))
  await using pair = await GuestPair.define(machine, libvirt, vifs)
  await pair.start()
  await pair.assertPing('before')

  ovs.kill()
  await ovs.run()
  await pair.assertNoPing('guests whose QEMU connects have lost OVS')
  pair.restarts()
  for (const { name } of pair.guests) libvirt.virsh('destroy', name)
  await pair.start()
  await pair.assertPing('guests were started again')

  const plan = vswitch(machine, 'vif', 'migrate', 'plan', '--ovs')
  assert.equal(plan.code, 0, plan.stderr)
  assert.match(plan.stdout, /vm1 \(runs: is stopped and started\)/)
  assert.match(plan.stdout, /group hugetlbfs, number 42477/)
  assert.equal(
    parseOvsShow(ovs.vsctl('show')).vifs[0]?.qemuMode,
    'client',
    'a plan changes nothing',
  )

  pair.restarts()
  const run = vswitch(machine, 'vif', 'migrate', 'run', '--ovs', '--force', '--stop-timeout', '1')
  assert.equal(run.code, 0, run.stderr)
  assert.match(run.stdout, /migrated: vm1, vm2/)
  await pair.ready()
  await pair.assertPing('after')
  assert.match(machine.must('stat', '-c', '%U:%G %a', FOLDER), /^qemu:hugetlbfs 3775$/m)
  for (const vif of vifs) {
    const socket = `${FOLDER}/${vif.name}`
    assert.match(machine.must('stat', '-c', '%G', socket), /^hugetlbfs$/m)
  }
  // OVS prints ports in no order.
  const shown = parseOvsShow(ovs.vsctl('show')).vifs.map(({ socket }) => socket)
  const wanted = vifs.map(({ name }) => `${FOLDER}/${name}`)
  assert.deepEqual(shown.sort(), wanted)
  assert.equal(parseLibvirt(libvirt.virsh('dumpxml', 'vm1')).vifs[0]?.qemuMode, 'server')
  const log = machine.must('cat', '/var/log/libvirt/qemu/vm1.log')
  assert.equal(parseQemu(log).vifs[0]?.qemuMode, 'server')

  const boots = await pair.bootIds()
  ovs.kill()
  await ovs.run()
  await pair.assertPing('after a restart of OVS')
  assert.deepEqual(await pair.bootIds(), boots, 'no guest was started again')

  pair.restarts()
  const undo = vswitch(machine, 'vif', 'migrate', 'undo', '--ovs')
  assert.equal(undo.code, 0, undo.stderr)
  await pair.ready()
  await pair.assertPing('as before')
  assert.equal(parseLibvirt(libvirt.virsh('dumpxml', 'vm1')).vifs[0]?.qemuMode, 'client')
  assert.equal(machine.run('getent', ['group', 'hugetlbfs']).code, 2, 'the group is gone')
  assert.notEqual(machine.run('stat', [FOLDER]).code, 0, 'the folder is gone')
})
