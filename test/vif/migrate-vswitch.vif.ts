// Guests whose QEMU connects to our switch come to have one that listens: a step that fails is taken back, an interrupted
// migration goes on, and the switch may be restarted from then on.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseLibvirt, portOptionsOf } from '../../src/vif/index.js'
import { until } from '../support/loopback.js'
import { GuestPair, vifOf } from './stage/guests.js'
import { Libvirt } from './stage/libvirt.js'
import { Machine, noMachine } from './stage/machine.js'
import { Vswitch, vswitch, vswitchDaemon } from './stage/vswitch.js'

const OLD = '/run/vm'
const FOLDER = '/var/lib/vhost_sockets'
const FORCE = ['--force', '--stop-timeout', '1']

test('guests of our switch migrate, and survive its restart from then on', {
  skip: noMachine(),
}, async () => {
  await using machine = await Machine.start()
  const libvirt = await Libvirt.start(machine, 'qemu')
  const modeOf = (vm: string) => parseLibvirt(libvirt.virsh('dumpxml', vm)).vifs[0]?.qemuMode
  machine.must('mkdir', OLD)
  const vifs = [1, 2].map((number) => vifOf(number, 'client', OLD))
  const ports = vifs.map((vif) => ({ ...portOptionsOf(vif), mode: '0666' }))
  const own = await Vswitch.start(machine, ports)
  const file = readFileSync(own.file, 'utf8')
  await using pair = await GuestPair.define(machine, libvirt, vifs)
  await pair.start()
  await pair.assertPing('before')

  await own.kill()
  await own.run()
  await pair.assertNoPing('guests whose QEMU connects have lost the switch')
  pair.restarts()
  for (const { name } of pair.guests) libvirt.virsh('destroy', name)
  await pair.start()

  const hopeless = ['vm1', '--owner', 'nobody', '--mode', '0700', ...FORCE]
  pair.guests[0]?.restarts()
  const failed = vswitch(machine, 'vif', 'migrate', 'run', ...hopeless)
  assert.equal(failed.code, 1)
  assert.match(failed.stderr, /start vm1.*Permission denied.*vm1 is as it was/s)
  await pair.ready()
  await pair.assertPing('a migration failed, and the guest is as it was')
  assert.equal(modeOf('vm1'), 'client')
  assert.equal(vswitch(machine, 'vif', 'migrate', 'undo').code, 0)
  assert.notEqual(machine.run('stat', [FOLDER]).code, 0, 'nothing is left behind')
  assert.equal(readFileSync(own.file, 'utf8'), file)

  pair.restarts()
  const running = vswitchDaemon(machine, 'vif', 'migrate', 'run', ...FORCE)
  await until('vm2 is stopped', () => running.output.includes('stop vm2'), 60_000)
  await running[Symbol.asyncDispose]()
  assert.equal(modeOf('vm1'), 'server')
  const again = vswitch(machine, 'vif', 'migrate', 'run', ...FORCE)
  assert.match(again.stderr, /was begun; resume or undo/)
  const resumed = vswitch(machine, 'vif', 'migrate', 'run', '--resume', ...FORCE)
  assert.equal(resumed.code, 0, resumed.stderr)
  assert.doesNotMatch(resumed.stderr, /vm1/, 'what is done is not done again')
  await pair.ready()
  await pair.assertPing('after')

  const boots = await pair.bootIds()
  await own.kill()
  await own.run()
  await pair.assertPing('after a restart of the switch')
  assert.deepEqual(await pair.bootIds(), boots, 'no guest was started again')

  pair.restarts()
  const undo = vswitch(machine, 'vif', 'migrate', 'undo', ...FORCE)
  assert.equal(undo.code, 0, undo.stderr)
  await pair.ready()
  await pair.assertPing('as before')
  assert.equal(modeOf('vm2'), 'client')
  assert.equal(readFileSync(own.file, 'utf8'), file)
})
