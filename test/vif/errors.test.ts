import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '../../src/config/index.js'
import { newVif, parseNeutron, parseVifs, portOptionsOf } from '../../src/vif/index.js'

const ID = 'c9f9a3a2-2a64-4b5e-9a7e-1f1d2c3b4a59'

function port(details: object, more: object = {}): object {
  return {
    id: ID,
    mac_address: 'fa:16:3e:00:00:01',
    'binding:vif_type': 'vhostuser',
    'binding:vif_details': details,
    ...more,
  }
}

/** What an error says of its one problem. */
function problem(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.message
  }
  throw new Error('nothing was thrown')
}

const SOCKET = { vhostuser_socket: '/run/a.sock', vhostuser_mode: 'server' }

describe('Neutron', () => {
  const refusals: [what: string, port: object, message: RegExp][] = [
    [
      'another type',
      port(SOCKET, { 'binding:vif_type': 'ovs' }),
      /binding:vif_type = "ovs" is not a vhost-user port; only/,
    ],
    [
      'a misspelt type',
      port(SOCKET, { 'binding:vif_type': 'vhost_user' }),
      /"vhost_user" .*; did you mean vhostuser\?/,
    ],
    [
      'no type',
      port(SOCKET, { 'binding:vif_type': undefined }),
      /binding:vif_type is missing; give the port as an administrator/,
    ],
    [
      'a port that is not bound',
      port(SOCKET, { 'binding:vif_type': 'unbound' }),
      /"unbound" .*; bind the port to a host first/,
    ],
    [
      'an SR-IOV port',
      port(SOCKET, { 'binding:vnic_type': 'direct' }),
      /binding:vnic_type = "direct" has no vhost-user socket; create the port with vnic_type normal/,
    ],
    [
      'no socket',
      port({ vhostuser_mode: 'server' }),
      /vif_details\.vhostuser_socket is missing; .*mechanism driver/,
    ],
    [
      'two spellings that differ',
      port({ ...SOCKET, vhost_user_mode: 'client' }),
      /vhost_user_mode = "client" contradicts vhostuser_mode = "server"; remove vhost_user_mode/,
    ],
    [
      'two plugs',
      port({ ...SOCKET, vhostuser_ovs_plug: true, vhostuser_vrouter_plug: true }),
      /vhostuser_vrouter_plug = true contradicts vhostuser_ovs_plug = true; .*keep/,
    ],
    [
      'a plug that is a word',
      port({ ...SOCKET, vhostuser_ovs_plug: 'yes' }),
      /vhostuser_ovs_plug = "yes" is neither true nor false; write/,
    ],
    [
      'the kernel datapath',
      port({ ...SOCKET, vhostuser_ovs_plug: true, datapath_type: 'system' }),
      /datapath_type = "system" has no vhost-user ports; set datapath_type=netdev/,
    ],
    [
      'a role that is none',
      port({ ...SOCKET, vhostuser_mode: 'master' }),
      /qemuMode = "master" is not a choice; give one of "client", "server"/,
    ],
    [
      'a relative path',
      port({ ...SOCKET, vhostuser_socket: 'a.sock' }),
      /socket = "a.sock" is a relative path; give an absolute one/,
    ],
    [
      'a path too long',
      port({ ...SOCKET, vhostuser_socket: `/${'x'.repeat(120)}` }),
      /socket = .* has 121 bytes .*; use a shorter/,
    ],
    [
      'no MAC address',
      port(SOCKET, { mac_address: 'fa:16' }),
      /mac = "fa:16" is not a MAC address; give six octets/,
    ],
    [
      'the address of a group',
      port(SOCKET, { mac_address: '01:00:5e:00:00:01' }),
      /mac = .* names a group; give the address of one station/,
    ],
  ]
  for (const [what, value, message] of refusals) {
    test(what, () => {
      const text = problem(() => parseNeutron(value))
      assert.match(text, message)
      assert.ok(text.startsWith(`Neutron port ${ID}: `), text)
    })
  }

  test("the specification's spelling is taken, with a warning", () => {
    const details = {
      vhost_user_mode: 'client',
      vhost_user_socket: '/run/a.sock',
      vhost_user_ovs_plug: false,
    }
    const { vifs, warnings } = parseNeutron({ port: port(details) })
    assert.equal(vifs[0]?.qemuMode, 'client')
    assert.equal(vifs[0]?.socket, '/run/a.sock')
    assert.deepEqual(
      warnings.map(({ path, fix }) => [path, fix]),
      [
        ['binding:vif_details.vhost_user_mode', 'write vhostuser_mode'],
        ['binding:vif_details.vhost_user_socket', 'write vhostuser_socket'],
        ['binding:vif_details.vhost_user_ovs_plug', 'write vhostuser_ovs_plug'],
      ],
    )
  })

  test('without a mode QEMU listens, and a warning says so', () => {
    const { vifs, warnings } = parseNeutron(port({ vhostuser_socket: '/run/a.sock' }))
    assert.equal(vifs[0]?.qemuMode, 'server')
    assert.match(warnings[0]?.message ?? '', /Nova takes server/)
  })

  test('a socket that OVS would make elsewhere is warned of', () => {
    const details = { ...SOCKET, vhostuser_mode: 'client', vhostuser_ovs_plug: true }
    const { warnings } = parseNeutron(port(details))
    assert.match(warnings[0]?.fix ?? '', /end the path with \/vhuc9f9a3a2-2a,/)
  })

  test("what the command 'openstack' prints is read too", () => {
    const { vifs } = parseNeutron({
      id: ID,
      binding_vif_type: 'vhostuser',
      binding_vif_details: SOCKET,
    })
    assert.equal(vifs[0]?.name, 'tapc9f9a3a2-2a')
  })
})

describe('other artefacts', () => {
  const refusals: [what: string, text: string, message: RegExp][] = [
    ['nothing', '', /input is empty; give Neutron's port/],
    ['something else', 'hello', /input = "hello" is nothing that can be read; give/],
    ['malformed JSON', '{"port": ', /is not JSON: .*; give one JSON document/],
    [
      'malformed XML',
      '<domain>\n<name>a</nam>',
      /line 2, column \d+ is not well-formed XML: .*; give the whole output of `virsh dumpxml`/,
    ],
    ['cut XML', '<domain><devices>', /is not well-formed XML/],
    ['XML of something else', '<network/>', /"<network>" is not a domain; give a <domain>/],
    [
      'a domain without such ports',
      "<domain><name>vm1</name><devices><interface type='bridge'/></devices></domain>",
      /domain vm1: devices has no interface of type vhostuser, but: bridge; give another/,
    ],
    [
      'an interface without a path',
      "<interface type='vhostuser'><source type='unix' mode='server'/></interface>",
      /socket is missing; give the absolute path/,
    ],
    [
      'an interface without a mode',
      "<interface type='vhostuser'><source type='unix' path='/a'/></interface>",
      /qemuMode is missing; give one of/,
    ],
    [
      'an interface that is TCP',
      "<interface type='vhostuser'><source type='tcp'/></interface>",
      /source.type = "tcp" is not a choice; write type='unix'/,
    ],
    [
      'queues that are no number',
      "<interface type='vhostuser'><source type='unix' mode='server' path='/a'/><driver queues='two'/></interface>",
      /driver.queues = "two" is not a whole number; write digits/,
    ],
    [
      'a ring size that QEMU refuses',
      "<interface type='vhostuser'><source type='unix' mode='server' path='/a'/><driver rx_queue_size='300'/></interface>",
      /rxQueueSize = 300 .*; give 256, 512 or 1024/,
    ],
    [
      'a chardev that is not there',
      'qemu-system-x86_64 -netdev vhost-user,id=n0,chardev=c0',
      /QEMU netdev n0: chardev = "c0" is not there; add -chardev socket/,
    ],
    [
      'a chardev without a path',
      'qemu-system-x86_64 -chardev socket,id=c0,fd=30,server=on -netdev vhost-user,id=n0,chardev=c0',
      /path is missing: libvirt hands over an open file, fd=30; read the domain's XML/,
    ],
    [
      'a QEMU without such ports',
      'qemu-system-x86_64 -netdev user,id=n0',
      /-netdev of type vhost-user is missing; give/,
    ],
    [
      'JSON that is cut',
      'qemu-system-x86_64 -netdev \'{"type":"vhost\'',
      /-netdev = .* is not JSON: .*; give the command line whole/,
    ],
    [
      'a switch without such ports',
      'uuid\n    Bridge br0\n        Port p\n            Interface p\n                type: internal',
      /type of a vhost-user port is missing; there are: internal; give/,
    ],
    [
      'a client port without a path',
      'uuid\n    Bridge br0\n        Port p\n            Interface p\n                type: dpdkvhostuserclient',
      /interface p: socket is missing; give/,
    ],
  ]
  for (const [what, text, message] of refusals) {
    test(what, () =>
      assert.match(
        problem(() => parseVifs(text)),
        message,
      ),
    )
  }

  test('our switch refuses what it cannot have', () => {
    const vif = newVif({ id: ID, socket: '/run/a.sock', qemuMode: 'server', queues: 17 })
    assert.match(
      problem(() => portOptionsOf(vif)),
      /queues = 17 is more than 16; give/,
    )
  })
})
