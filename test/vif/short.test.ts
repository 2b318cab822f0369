// The short form of these tests, for `npm test`: libvirt starts two guests from our XML on our switch, which is killed; the
// guests go on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLibvirt, parseQemu, portOptionsOf } from '../../src/vif/index.js'
import { GuestPair, vifOf } from './stage/guests.js'
import { rolesInspected } from './stage/inspected.js'
import { Libvirt } from './stage/libvirt.js'
import { Machine, noMachine } from './stage/machine.js'
import { Vswitch } from './stage/vswitch.js'

const FOLDER = '/var/lib/vhost_sockets'

test("libvirt's guests on our switch survive its death", { skip: noMachine() }, async () => {
  await using machine = await Machine.start()
  const libvirt = await Libvirt.start(machine, 'qemu')
  machine.must('install', '-d', '-o', 'qemu', '-g', 'qemu', '-m', '3775', FOLDER)
  const vifs = [1, 2].map((number) => vifOf(number, 'server', FOLDER))
  const own = await Vswitch.start(machine, vifs.map(portOptionsOf))
  await using pair = await GuestPair.define(machine, libvirt, vifs)
  await pair.start()
  await pair.assertPing('with the first switch')
  const boots = await pair.bootIds()

  await own.kill()
  await pair.assertNoPing('there is no switch')
  await own.run()
  await pair.assertPing('with the next one')
  assert.deepEqual(await pair.bootIds(), boots, 'no guest was started again')

  const roles = 'server/client, ready'
  assert.deepEqual(rolesInspected(machine), { vm1: roles, vm2: roles })
  for (const [i, vif] of vifs.entries()) {
    const { name } = pair.guests[i] as (typeof pair.guests)[number]
    const [domain] = parseLibvirt(libvirt.virsh('dumpxml', name)).vifs
    const [qemu] = parseQemu(machine.must('cat', `/var/log/libvirt/qemu/${name}.log`)).vifs
    for (const read of [domain, qemu]) {
      assert.deepEqual(
        [read?.socket, read?.qemuMode, read?.mac],
        [vif.socket, 'server', vif.mac],
        name,
      )
    }
  }
})
