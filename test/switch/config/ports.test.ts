/** Ports that come to a running switch, or change there. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ConfigError } from 'dpdk-vhost'
import {
  changeLines,
  changePort,
  checkConfig,
  checkPort,
} from '../../../src/switch/config/index.js'
import type { SwitchPortSpec, SwitchSpec } from '../../../src/switch/spec.js'

const { spec } = checkConfig(`
lcores: [{ name: l0 }, { name: l1, ports: pinned }]
bridges: [{ name: br0, local: { iface: host0 } }, { name: br1 }]
datapath: { mtu: 2000 }
admin: { socket: /tmp/vswitch-none/admin.sock }
ports:
  - { name: a, type: dpdkvhostuserclient, path: /tmp/vswitch-none/a, tag: 10, trunks: [] }
  - { name: b, type: dpdkvhostuserclient, path: /tmp/vswitch-none/b, mtu: 1600, trunks: ['5-7'], portSecurity: ['02:00:00:00:00:01 10.0.0.1'] }
`) as { spec: SwitchSpec }

/** What is wrong, as path and message. */
function problemsOf(work: () => unknown): string[] {
  try {
    work()
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.ok(error.problems.every(({ fix }) => fix !== ''))
    return error.problems.map(({ path, message }) => `${path} ${message}`)
  }
}

const port = (name: string) => spec.ports.find((one) => one.port.name === name) as SwitchPortSpec

suite('a port to add', () => {
  const options = { name: 'c', type: 'dpdkvhostuserclient', path: '/tmp/vswitch-none/c' }

  test('is one as in the file', () => {
    const added = checkPort(
      { ...options, bridge: 'br1', trunks: ['5-7'], rxAffinity: { 0: 'l1' } },
      spec,
    )
    assert.equal(added.port.name, 'c')
    assert.deepEqual(added.attachment.trunks, [5, 6, 7])
    assert.equal(added.attachment.bridge, 'br1')
    assert.equal(checkPort(options, spec).attachment.bridge, 'br0')
  })

  const refused: [string, unknown, string[]][] = [
    ['no object', 'c', [' is not an object']],
    [
      'a name that is taken',
      { ...options, name: 'a' },
      ['name is the name of another port (ports[0].name)'],
    ],
    [
      'the name of a local port',
      { ...options, name: 'host0' },
      ['name is the name of the local port of a bridge'],
    ],
    [
      'a socket that is taken',
      { ...options, path: '/tmp/vswitch-none/./b' },
      ['path is the socket of port "b"'],
    ],
    [
      'the admin socket',
      { ...options, path: '/tmp/vswitch-none/admin.sock' },
      ['path is the admin socket'],
    ],
    ['a bridge that is not', { ...options, bridge: 'br2' }, ['bridge is no bridge']],
    ['an lcore that is not', { ...options, rxAffinity: { 1: 'l2' } }, ['rxAffinity.1 is no lcore']],
    ['an MTU above', { ...options, mtu: 2001 }, ["mtu is above the datapath's MTU of 2000"]],
    [
      'several at once',
      { ...options, name: 'a', vlan_mode: 'x', tag: 5000 },
      [
        'vlan_mode is not an option',
        'tag is more than 4095',
        'name is the name of another port (ports[0].name)',
      ],
    ],
  ]
  for (const [name, given, expected] of refused) {
    test(`refused: ${name}`, () => {
      assert.deepEqual(problemsOf(() => checkPort(given, spec)).toSorted(), expected.toSorted())
    })
  }

  test('not after 1024', () => {
    const full = { ...spec, ports: Array<SwitchPortSpec>(1023).fill(port('a')) }
    assert.deepEqual(
      problemsOf(() => checkPort(options, full)),
      [' would be one more than 1024'],
    )
  })
})

suite('a port to change', () => {
  const change = (name: string, changes: Record<string, unknown>) => {
    const { port: changed, changes: list } = changePort(port(name), changes, spec)
    return {
      port: changed.port,
      attachment: changed.attachment,
      lines: changeLines(list),
      types: list.map(({ type }) => type),
    }
  }

  test('nothing is to be done for what is so already', () => {
    assert.deepEqual(change('a', {}).types, [])
    assert.deepEqual(change('a', { tag: 10, adminState: 'up', name: 'a' }).types, [])
    const { port: b, attachment } = change('b', {})
    assert.deepEqual({ port: b, attachment }, port('b'))
  })

  test('its place in a bridge, its state and its pins change live', () => {
    const { attachment, types } = change('b', {
      bridge: 'br1',
      adminState: 'down',
      rxAffinity: { 0: 'l1' },
    })
    assert.equal(attachment.bridge, 'br1')
    assert.deepEqual(attachment.trunks, [5, 6, 7])
    assert.deepEqual(types, ['attachment', 'rxAffinity', 'adminState'])
  })

  test('the mode follows the tag unless it was given', () => {
    assert.deepEqual(change('b', { tag: 3 }).attachment.vlanMode, 'access')
    assert.deepEqual(change('a', { tag: null }).attachment.vlanMode, 'trunk')
    assert.equal(change('a', { tag: null }).attachment.tag, undefined)
    const native = change('a', { vlanMode: 'native-tagged' })
    const { port: again } = changePort(
      { port: native.port, attachment: native.attachment },
      { tag: 9 },
      spec,
    )
    assert.deepEqual([again.attachment.vlanMode, again.attachment.tag], ['native-tagged', 9])
  })

  test('null takes a key away', () => {
    assert.equal(change('b', { portSecurity: null }).attachment.portSecurity, undefined)
    assert.equal(change('b', { mtu: null }).port.mtu, undefined)
  })

  test('what else there is has the port made anew', () => {
    const { port: b, types, lines } = change('b', { mtu: 1500 })
    assert.equal(b.mtu, 1500)
    assert.deepEqual(types, ['portRemoved', 'portAdded'])
    assert.deepEqual(lines, ['port b: made anew'])
  })

  const refused: [string, Record<string, unknown>, string[]][] = [
    ['a name', { name: 'c' }, ['name cannot be changed']],
    ['a type', { type: 'dpdk' }, ['type cannot be changed']],
    ['a key that is not', { vlan_mode: 'access' }, ['vlan_mode is not an option']],
    ['taking away a key that is not', { vlanmod: null }, ['vlanmod is not an option']],
    ['taking away what has to be', { path: null }, ['path is missing']],
    ['the socket of another', { path: '/tmp/vswitch-none/b' }, ['path is the socket of port "b"']],
    [
      'values',
      { tag: 'x', trunks: ['9-3'] },
      ['tag is a string', 'trunks[0] ends before it begins'],
    ],
  ]
  for (const [name, changes, expected] of refused) {
    test(`refused: ${name}`, () => {
      assert.deepEqual(problemsOf(() => change('a', changes)).toSorted(), expected.toSorted())
    })
  }
})
