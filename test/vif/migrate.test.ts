// What is in the way of a migration is said with its fix, and nothing is changed.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { libvirtDomain, newGuest, portOptionsOf } from '../../src/vif/index.js'
import { withQemuListening } from '../../src/vif/migrate/domain.js'
import { vifOf } from './stage/guests.js'
import { Libvirt } from './stage/libvirt.js'
import { Machine, noMachine } from './stage/machine.js'
import { Vswitch, vswitch } from './stage/vswitch.js'

const FOLDER = '/run/vm'

test('a domain comes to have a QEMU that listens; all else stays', () => {
  const [client, other] = [vifOf(1, 'client', FOLDER), vifOf(2, 'client', FOLDER)]
  const guest = newGuest({ name: 'vm1' })
  const before = libvirtDomain([{ ...client, reconnect: 5 }, other], guest)
  const server = { ...client, qemuMode: 'server' as const, socket: '/s/vhu' }
  const after = withQemuListening(before, new Map([[client.socket, '/s/vhu']]))
  const plain = (xml: string) => xml.replaceAll(/["']/g, "'").replaceAll(/\s+/g, '')
  const wanted = plain(libvirtDomain([server, other], guest))
  assert.equal(plain(after).replace('></source>', '/>'), wanted)
  assert.throws(() => withQemuListening('<domain><devices>', new Map()), {
    message: /libvirt XML.*not well-formed.*virsh dumpxml/,
  })
})

test('what is in the way is said with its fix', { skip: noMachine() }, async () => {
  await using machine = await Machine.start()
  const refused = (args: readonly string[], message: RegExp, code = 1) => {
    const ran = vswitch(machine, 'vif', 'migrate', ...args)
    assert.equal(ran.code, code, ran.stderr)
    assert.match(ran.stderr + ran.stdout, message)
  }
  refused(['plan'], /vswitch run/, 3)
  refused(['plan', '--ovs'], /no OVSDB at .*start ovsdb-server/)
  refused(['undo'], /no migration was begun/)

  const vif = vifOf(1, 'client', FOLDER)
  machine.must('mkdir', FOLDER)
  const { file } = await Vswitch.start(machine, [portOptionsOf(vif)])
  refused(['plan'], /libvirt: failed to connect.*start libvirtd/)

  const libvirt = await Libvirt.start(machine, 'qemu')
  refused(['plan', 'vm9'], /vm9.*virsh list --all/)
  refused(['plan', '--folder', 'x'], /folder = "x"/)
  const xml = join(machine.folder, 'vm1.xml')
  const define = (domain: string) => {
    writeFileSync(xml, domain.replace("type='kvm'", "type='qemu'"))
    libvirt.virsh('define', xml)
  }
  define(libvirtDomain([vif], newGuest({ name: 'vm1', shared: false, memory: 'anonymous' })))
  refused(['plan'], /domain vm1: its memory is not shared.*access mode='shared'/)
  refused(['run'], /its memory is not shared/)
  libvirt.virsh('undefine', 'vm1')

  define(libvirtDomain([vif], newGuest({ name: 'vm1' })))
  refused(['plan', '--owner', 'nobodyatall'], /no user nobodyatall; .*--owner/)
  refused(['plan', '--gid', '0'], /gid/)
  refused(['plan', '--folder', `/${'x'.repeat(100)}`], /at most 107/)
  const plan = vswitch(machine, 'vif', 'migrate', 'plan', '--json')
  assert.equal(plan.code, 0, plan.stderr)
  const kinds = JSON.parse(plan.stdout).steps.map(({ kind }: { kind: string }) => kind)
  assert.deepEqual(kinds, ['group', 'folder', 'define', 'port'], 'one that is off stays off')

  machine.must('groupadd', '--gid', '42477', 'other')
  refused(['plan'], /group number 42477 is that of other; .*--group other/)
  machine.must('groupdel', 'other')

  const nova =
    "<metadata><n:instance xmlns:n='http://openstack.org/xmlns/libvirt/nova/1.1'/></metadata>"
  const uuid = 'b6b1e2c6-9a2d-4a0a-8f5d-0e0b8c1f2a3b'
  libvirt.virsh('undefine', 'vm1')
  define(libvirtDomain([vif], newGuest({ name: 'vm1', uuid })).replace('<vcpu>', `${nova}<vcpu>`))
  const left = vswitch(machine, 'vif', 'migrate', 'plan')
  assert.match(
    left.stdout,
    new RegExp(`Nothing to migrate.*openstack server migrate --wait ${uuid}`, 's'),
  )

  const journal = join(machine.folder, 'journal')
  writeFileSync(journal, '{}')
  refused(['undo', '--journal', journal], /of something else/)
  for (const path of ['/var/lib/vhost_sockets', '/var/lib/vswitch', `${file}.new`]) {
    assert.notEqual(machine.run('stat', [path]).code, 0, `${path} is not there`)
  }
  assert.equal(machine.run('getent', ['group', 'hugetlbfs']).code, 2)
})
