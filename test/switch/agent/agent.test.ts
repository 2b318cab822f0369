// The agent with a folder, beside a real switch with a real guest.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { TestHost } from '../../../src/testkit/index.js'
import { socketFolder, until } from '../../support/loopback.js'
import { RunningSwitch, VswitchProcess } from '../cli/vswitch.js'
import { ID, NAME, neutronPort, Stage, SWITCH, vlan } from './stage.js'

const LIMIT = { timeout: 240_000 }

suite('a folder and a switch', LIMIT, () => {
  let running: RunningSwitch
  let host: TestHost
  let peer: TestHost
  before(async () => {
    running = await RunningSwitch.start({
      ...SWITCH,
      ports: [{ name: 'peer', type: 'dpdkvhostuserclient', path: '/tmp/none', tag: 10 }],
    })
    const path = (name: string) => running.path(`${name}.sock`)
    await running.ask(['port', 'set', 'peer', `path=${path('peer')}`])
    host = await TestHost.start({ path: path('a'), ip: '10.0.0.1', mac: 'fa:16:3e:00:00:01' })
    peer = await TestHost.start({ path: path('peer'), ip: '10.0.0.2' })
  }, LIMIT)
  after(async () => {
    await host.close()
    await peer.close()
    await running[Symbol.asyncDispose]()
  })

  test('a port comes, is changed, kept, put back and removed', async () => {
    const socket = running.path('a.sock')
    const stage = await Stage.start(running.folder.path, running.socket)
    const put = (more: object = {}, beside: object = {}) =>
      stage.write('a', { port: neutronPort(socket, more), network: vlan(10), ...beside })
    await stage.step()
    assert.deepEqual(stage.commands(), [])

    put()
    await stage.step()
    assert.deepEqual(stage.commands(), ['add'])
    await host.linkUp()
    await peer.linkUp()
    const port = await stage.port()
    assert.deepEqual([port?.tag, port?.vlanMode, port?.mtu], [10, 'access', 1450])
    await until('it is ready', async () => (await stage.port())?.state === 'ready')
    await stage.step()
    const { state, since, socket: told } = stage.stateOf('a')
    assert.deepEqual([state, told], ['ready', socket])
    assert.ok(Date.now() - Date.parse(since) < 60_000, since)
    const ping = async (timeoutMs = 3000) => {
      const { sent, received } = await host.ping('10.0.0.2', { count: 3, timeoutMs })
      return [sent > 0, received]
    }
    assert.deepEqual(await ping(), [true, 3])

    // Nothing to do, and nothing is done; nor after a restart of the agent, but to look.
    await stage.step()
    assert.deepEqual(stage.commands(), [])
    await stage.restart()
    await stage.step()
    assert.deepEqual(stage.commands(), ['set'])
    assert.equal((await stage.port())?.status.generation, port?.status.generation)

    // Another VLAN, port security and limits, while the guest stays connected.
    const fixed_ips = [{ ip_address: '10.9.9.9' }]
    put({ port_security_enabled: true, fixed_ips })
    await stage.step()
    assert.deepEqual(stage.commands(), ['set'])
    assert.deepEqual(await ping(500), [true, 0])
    const { ports } = await stage.client.stats()
    assert.ok((ports[NAME]?.guards.portSecurity ?? 0) > 0)
    put({ port_security_enabled: true, allowed_address_pairs: [{ ip_address: '10.0.0.0/24' }] })
    await stage.step()
    assert.deepEqual(await ping(), [true, 3])
    const rules = [
      { type: 'packet_rate_limit', direction: 'ingress', max_kpps: 1, max_burst_kpps: 0 },
      { type: 'bandwidth_limit', direction: 'egress', max_kbps: 1, max_burst_kbps: 1 },
      { type: 'dscp_marking', dscp_mark: 26 },
    ]
    put({}, { qos_policy: { rules } })
    await stage.step()
    assert.ok(stage.lines.some((line) => /^warn .*dscp_marking is not applied/.test(line)))
    await host.ping('10.0.0.2', { count: 5, timeoutMs: 100 })
    const policed = (await stage.client.stats()).ports[NAME]?.guards.ingressPoliced ?? 0
    assert.ok(policed > 0, 'it sends more than 1 kbit/s')
    assert.equal((await stage.port())?.status.generation, port?.status.generation)
    stage.commands()

    // Administratively down, and up again.
    put({ admin_state_up: false })
    await stage.step()
    assert.equal((await stage.port())?.status.adminState, 'down')
    put()
    await stage.step()
    assert.equal((await stage.port())?.status.adminState, 'up')

    stage.remove('a')
    await stage.step()
    assert.equal(await stage.port(), undefined)
    assert.deepEqual(stage.states(), [])
    assert.ok((await stage.port('peer')) !== undefined, 'what is not its own stays')
  })

  test('what cannot be used is told, and what was made of it before stays', async () => {
    const stage = await Stage.start(running.folder.path, running.socket)
    const good = { port: neutronPort(running.path('x.sock')), network: vlan(10) }
    stage.write('a', good)
    await stage.step()
    const cases: [what: object | string, error: RegExp][] = [
      ['{"port": ', /^a\.json: is no JSON: .*; write the file beside it and rename it/],
      ['[]', /is no object; give a port of Neutron/],
      [{ ...good, port: neutronPort('relative') }, /socket = "relative" is a relative path; give/],
      [
        { port: neutronPort('/a', { 'binding:vif_type': 'ovs' }) },
        /vif_type = "ovs" is not a vhost-user port/,
      ],
      [
        { port: neutronPort('/a'), network: { 'provider:network_type': 'vxlan' } },
        /network_type = "vxlan" cannot be reached; use a vlan or a flat network/,
      ],
      [{ vifs: [] }, /vifs has 0 ports; give a file for each/],
      [
        { socket: '/a', qemuMode: 'server', plug: 'ovs', id: ID },
        /plug = "ovs" is not done by the agent of this switch; .*vswitch vif plug/,
      ],
      [{ ...good, other: 1 }, /other/],
    ]
    for (const [content, error] of cases) {
      stage.write('a', content)
      await stage.step()
      assert.match(stage.stateOf('a').error ?? '', error)
      assert.equal((await stage.port())?.path, running.path('x.sock'))
    }
    stage.commands()
    await stage.restart()
    await stage.step()
    assert.deepEqual(stage.commands(), [], 'after a restart it is still its own')
    stage.write('a', good)
    await stage.step()
    assert.equal(stage.stateOf('a').error, undefined)
    stage.remove('a')
    await stage.step()
    assert.equal(await stage.port(), undefined)

    stage.write('b', '{')
    await stage.step()
    assert.equal(stage.stateOf('b').state, 'unusable')
    stage.remove('b')
    await stage.step()
    assert.deepEqual(stage.states(), [])
  })

  test('what the switch refuses, and names that are taken', async () => {
    const stage = await Stage.start(running.folder.path, running.socket)
    const port = (name: string, path: string, more: object = {}) => {
      return { name, socket: running.path(path), qemuMode: 'server', switch: more }
    }
    stage.write('a', port('peer', 'other'))
    stage.write('b', port('b', 'b', { bridge: 'none' }))
    stage.write('c', port('c', 'c'))
    stage.write('d', port('c', 'd'))
    await stage.step()
    const error = (key: string) => [stage.stateOf(key).state, stage.stateOf(key).error ?? '']
    assert.match(error('a').join(), /^failed,a port peer is there already.*; remove it from the sw/)
    assert.match(error('b').join(), /^failed,.*bridge = "none"/)
    assert.match(error('d').join(), /^failed,the name c is that of c too; remove one of them/)
    assert.deepEqual(
      (await stage.client.ports()).map(({ name }) => name),
      ['peer', 'c'],
    )
    stage.write('b', port('b', 'b'))
    stage.remove('a')
    stage.remove('c')
    await until('the second one has its name', async () => {
      await stage.step()
      return (await stage.port('c'))?.path === running.path('d')
    })
    assert.deepEqual(stage.states(), ['b.json', 'd.json'])
    // Another role cannot be set: the port is made anew.
    stage.write('b', { ...port('b', 'b'), qemuMode: 'client' })
    await stage.step()
    assert.equal((await stage.port('b'))?.type, 'dpdkvhostuser')
    for (const name of ['b', 'd']) stage.remove(name)
    await stage.step()
    assert.deepEqual(
      (await stage.client.ports()).map(({ name }) => name),
      ['peer'],
    )
  })
})

test('a switch that is started again has its ports back', LIMIT, async () => {
  using folder = socketFolder()
  const socket = `${folder.path}/admin.sock`
  const start = () => RunningSwitch.start(SWITCH, { args: ['--socket', socket] })
  const stage = await Stage.start(folder.path, socket)
  stage.write('a', { port: neutronPort(`${folder.path}/a.sock`) })
  await stage.step()
  assert.ok(stage.lines.some((line) => /^error no switch listens at .*; start one with/.test(line)))
  assert.deepEqual(stage.states(), [])
  for (const round of ['plugged', 'put back']) {
    await using _running = await start()
    await until(`it is ${round}`, async () => {
      await stage.step()
      return (await stage.port())?.tag === 0
    })
    assert.ok(stage.lines.some((line) => line.endsWith(`port ${NAME}: ${round}`)))
  }
  await stage.step()
  assert.equal(stage.stateOf('a').state, 'unknown')
})

test(
  'vswitch agent: a process that ends when it is told to, and leaves its ports',
  LIMIT,
  async () => {
    await using running = await RunningSwitch.start(SWITCH)
    const stage = await Stage.start(running.folder.path, running.socket)
    stage.write('a', { port: neutronPort(running.path('a.sock')) })
    const args = ['agent', '--ports', stage.ports, '--interval', '0.1', '--socket', running.socket]
    await using agent = new VswitchProcess(args, { limitMs: 120_000 })
    await until('it is plugged', () => agent.log.includes(`port ${NAME}: plugged`))
    agent.process.kill('SIGTERM')
    assert.equal(await agent.ended, 0)
    assert.match(agent.log, /info {2}to the switch: add tapc9f9a3a2-2a \{.*"tag":0.*\}\n/)
    assert.match(agent.log, /the agent has ended\n$/)
    assert.equal((await stage.port())?.path, running.path('a.sock'))
    // Beside the admin socket, if nobody says where.
    const { state } = JSON.parse(readFileSync(running.path(`agent/a.json`), 'utf8'))
    assert.equal(typeof state, 'string')
  },
)
