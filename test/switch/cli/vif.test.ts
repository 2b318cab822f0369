import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VIF_ARTEFACTS, VIF_SOURCES } from '../../../src/vif/index.js'
import { vswitch } from './vswitch.js'

const PORT = JSON.stringify({
  port: {
    id: 'c9f9a3a2-2a64-4b5e-9a7e-1f1d2c3b4a59',
    mac_address: 'fa:16:3e:00:00:01',
    'binding:vif_type': 'vhostuser',
    'binding:vif_details': { vhost_user_mode: 'server', vhostuser_socket: '/run/vm/a.sock' },
  },
})

test('vif render: every artefact, with a warning on standard error', async () => {
  const { code, stdout, stderr } = await vswitch(['vif', 'render', '-', '--queues', '2'], {
    input: PORT,
  })
  assert.equal(code, 0, stderr)
  assert.match(stderr, /^warning: .*vhost_user_mode = "server" .*; write vhostuser_mode\n$/)
  for (const artefact of VIF_ARTEFACTS) assert.match(stdout, new RegExp(`^# ${artefact}$`, 'm'))
  assert.match(stdout, /QEMU is the server: it makes \/run\/vm\/a\.sock and listens/)
})

test('vif render --as: one artefact, which parse reads again', async () => {
  const args = ['vif', 'render', '-', '--as', 'libvirt', '--queues', '2', '--hugepages']
  const { stdout } = await vswitch(args, { input: PORT })
  const { code, stdout: parsed } = await vswitch(['vif', 'parse', '-', '--json'], { input: stdout })
  assert.equal(code, 0)
  const { vifs, guest } = JSON.parse(parsed)
  assert.equal(vifs[0].queues, 2)
  assert.deepEqual([guest.memory, guest.shared, guest.vcpus], ['hugepages', true, 2])
})

test('vif parse: for people, and what is wrong', async () => {
  const good = await vswitch(['vif', 'parse', '-'], { input: PORT })
  assert.match(
    good.stdout,
    /^port tapc9f9a3a2-2a\n {2}QEMU: server, listens\n {2}switch: client, connects/,
  )
  const bad = await vswitch(['vif', 'parse', '-'], { input: '<domain>' })
  assert.equal(bad.code, 1)
  assert.match(bad.stderr, /^vswitch: libvirt XML: .*not well-formed/)
})

test('vif --help names what there is', async () => {
  const { stdout: parse } = await vswitch(['vif', 'parse', '--help'])
  for (const source of VIF_SOURCES) assert.ok(parse.includes(`"${source}"`), source)
  const { stdout: render } = await vswitch(['vif', 'render', '--help'])
  for (const artefact of VIF_ARTEFACTS) assert.ok(render.includes(`"${artefact}"`), artefact)
})
