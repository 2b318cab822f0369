// A real libvirt with paused guests from our XML, on our switch: what is wrong is found, and mended by the fixes as printed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type GuestOptions,
  type Inspection,
  libvirtDomain,
  newGuest,
  newVif,
} from '../../../src/vif/index.js'
import { Libvirt } from '../stage/libvirt.js'
import { Machine, noMachine } from '../stage/machine.js'
import { Vswitch, vswitch } from '../stage/vswitch.js'

const FOLDER = '/var/lib/vhost_sockets'

test('two domains that cannot work, mended by what is printed', { skip: noMachine() }, async () => {
  await using machine = await Machine.start()
  machine.must('groupadd', '--force', '--gid', '42477', 'hugetlbfs')
  machine.must('install', '-d', '-o', 'qemu', '-g', 'hugetlbfs', '-m', '2775', FOLDER)
  const libvirt = await Libvirt.start(machine, 'hugetlbfs')
  const names = ['clash', 'private']
  await Vswitch.start(
    machine,
    names.map((name) => ({ name, type: 'dpdkvhostuserclient', path: `${FOLDER}/${name}` })),
  )
  libvirt.define(domain('clash', 'client', {}))
  libvirt.define(domain('private', 'server', { memory: 'anonymous', shared: false }))
  libvirt.virsh('start', '--paused', 'private')

  const first = look(machine)
  assert.equal(first.code, 1)
  const errors = first.findings.filter(({ severity }) => severity === 'error')
  assert.deepEqual(errors.map(({ vm, check }) => `${vm} ${check}`).sort(), [
    'clash roles',
    'private memory',
  ])
  for (const { vm, fix = '' } of errors) {
    const { stdout, stderr } = machine.run('sh', ['-c', fix])
    assert.match(stdout, new RegExp(`'${vm}' defined`), stderr)
  }
  // A guest that is paused hears of no shutdown.
  libvirt.virsh('destroy', 'private')
  libvirt.virsh('start', '--paused', 'private')

  const { code, ports, findings } = look(machine)
  assert.equal(code, 0, JSON.stringify(findings))
  assert.deepEqual(
    ports
      .map(({ vm, qemuRole, switchRole, sharedMemory, owner, group, connected }) =>
        [vm, qemuRole, switchRole, sharedMemory, `${owner}:${group}`, connected.length].join(' '),
      )
      .sort(),
    names.map((name) => `${name} server client true qemu:hugetlbfs 1`),
  )
})

function domain(name: string, qemuMode: 'client' | 'server', memory: GuestOptions): string {
  const vif = newVif({ name, socket: `${FOLDER}/${name}`, qemuMode })
  // Software emulation; and with MSI-X QEMU 7.2 crashes when a vhost-user device starts under it.
  const override =
    "<qemu:override><qemu:device alias='net0'><qemu:frontend><qemu:property name='vectors' type='unsigned' value='0'/></qemu:frontend></qemu:device></qemu:override>"
  return libvirtDomain([vif], newGuest({ name, memoryMiB: 64, ...memory }))
    .replace(
      "<domain type='kvm'>",
      "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>",
    )
    .replace('</devices>', "<memballoon model='none'/></devices>")
    .replace('</domain>', `${override}</domain>`)
}

function look(machine: Machine): Inspection & { code: number | null } {
  const { code, stdout } = vswitch(machine, 'vif', 'inspect', '--json')
  return { code, ...(JSON.parse(stdout) as Inspection) }
}
