// Ports of a real Neutron become ports of a real switch.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { StaticToken } from '../../../src/switch/agent/neutron/auth.js'
import { NeutronClient } from '../../../src/switch/agent/neutron/client.js'
import { NeutronSource } from '../../../src/switch/agent/neutron/source.js'
import { RunningSwitch } from '../cli/vswitch.js'
import { NeutronServer, noNeutron } from './neutron-server.js'
import { Stage, SWITCH } from './stage.js'

const LIMIT = { timeout: 100_000, skip: noNeutron }

suite('a real Neutron', LIMIT, () => {
  test('its ports come, change and go', async () => {
    await using neutron = await NeutronServer.start()
    await using running = await RunningSwitch.start(SWITCH)
    const make = async (path: string, what: string, body: object) => {
      const answer = await neutron.ask('POST', path, { [what]: body })
      assert.equal(answer.status, 201, JSON.stringify(answer))
      return answer.body as unknown as { id: string; mac_address: string }
    }
    const network = await make('networks', 'network', {
      mtu: 1400,
      'provider:network_type': 'vlan',
      'provider:physical_network': 'physnet1',
      'provider:segmentation_id': 101,
    })
    const subnet = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' }
    await make('subnets', 'subnet', subnet)
    const policy = await make('qos/policies', 'policy', { name: 'slow' })
    const rules = `qos/policies/${policy.id}/bandwidth_limit_rules`
    const limit = { max_kbps: 1000, max_burst_kbps: 100, direction: 'egress' }
    await make(rules, 'bandwidth_limit_rule', limit)
    await make(rules, 'bandwidth_limit_rule', { max_kbps: 2000, direction: 'ingress' })
    const port = (more: object = {}) =>
      make('ports', 'port', { network_id: network.id, 'binding:host_id': 'compute1', ...more })

    // The server gives two ports a page.
    const ports = []
    for (const i of [1, 2, 3, 4, 5])
      ports.push(await port({ fixed_ips: [{ ip_address: `10.0.0.1${i}` }] }))
    const first = ports[0] as { id: string; mac_address: string }
    await port({ 'binding:host_id': 'compute2' })
    await make('ports', 'port', { network_id: network.id })

    const client = new NeutronClient({
      url: neutron.url,
      auth: new StaticToken(),
      timeoutMs: 20_000,
    })
    const source = new NeutronSource({ client, host: 'compute1', pollMs: 1, tags: true })
    const stage = await Stage.start(running.folder.path, running.socket)
    await stage.restart({ source })
    const { ports: bindings, unusable } = await source.read(new AbortController().signal)
    assert.deepEqual(unusable, [])
    assert.deepEqual(bindings.map(({ key }) => key).sort(), ports.map(({ id }) => id).sort())
    const optionsOf = async () => {
      const now = await source.read(new AbortController().signal)
      return now.ports.find(({ key }) => key === first.id)?.options
    }
    const plain = {
      name: `tap${first.id.slice(0, 11)}`,
      type: 'dpdkvhostuserclient',
      path: `/run/vm/${first.id}`,
      mtu: 1400,
      tag: 101,
      portSecurity: [{ mac: first.mac_address, ips: ['10.0.0.11'] }],
    }
    assert.deepEqual(await optionsOf(), plain)

    await stage.step()
    const names = async () => (await stage.client.ports()).map(({ name }) => name).sort()
    assert.deepEqual(await names(), ports.map(({ id }) => `tap${id.slice(0, 11)}`).sort())
    const tagsOf = async () => (await neutron.ask('GET', `ports/${first.id}`)).body.tags
    assert.deepEqual(await tagsOf(), ['vswitch-plugged'])

    const changed = await neutron.ask('PUT', `ports/${first.id}`, {
      port: {
        qos_policy_id: policy.id,
        admin_state_up: false,
        allowed_address_pairs: [{ ip_address: '10.1.0.0/16' }],
      },
    })
    assert.equal(changed.status, 200)
    assert.deepEqual(await optionsOf(), {
      ...plain,
      adminState: 'down',
      portSecurity: [...plain.portSecurity, { mac: first.mac_address, ips: ['10.1.0.0/16'] }],
      ingressPolicingRate: 1000,
      ingressPolicingBurst: 100,
      egressPolicer: { cir: 250_000, cbs: 200_000 },
    })
    await stage.step()
    assert.equal((await stage.port(plain.name))?.status.adminState, 'down')

    assert.equal((await neutron.ask('DELETE', `ports/${first.id}`)).status, 204)
    await stage.step()
    assert.equal((await names()).length, 4)

    // Why states are tags, and why ports are chosen here by their type.
    const other = `ports/${ports[1]?.id}`
    const status = await neutron.ask('PUT', other, { port: { status: 'DOWN' } })
    assert.equal(status.status, 400)
    assert.match(JSON.stringify(status.body), /Cannot update read-only attribute status/)
    const byType = await neutron.ask('GET', 'ports?binding:vif_type=vhostuser')
    assert.match(JSON.stringify(byType.body), /is invalid attribute/)
  })
})
