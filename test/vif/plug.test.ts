// Plugging into a real OVS-DPDK: what it does, and that nothing is left of what failed.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  newVif,
  OvsdbClient,
  ovsVsctlArguments,
  plugOvs,
  unplugOvs,
  type Vif,
} from '../../src/vif/index.js'
import { JsonFramer } from '../../src/vif/ovsdb/framer.js'
import { reasonToSkip } from '../ovs/skip.js'
import { vswitch } from '../switch/cli/vswitch.js'
import { OpenVswitch } from './open-vswitch.js'

const VIF = newVif({
  id: 'c9f9a3a2-2a64-4b5e-9a7e-1f1d2c3b4a59',
  mac: 'fa:16:3e:00:00:01',
  socket: '/run/vm/vhuc9f9a3a2-2a',
  qemuMode: 'server',
  plug: 'ovs',
  mtu: 1450,
  bridge: 'br-plug',
  vmId: 'b6b1e2c6-9a2d-4a0a-8f5d-0e0b8c1f2a3b',
})

describe('with OVS-DPDK', { skip: reasonToSkip() }, () => {
  let ovs: OpenVswitch
  let client: OvsdbClient
  before(async () => {
    ovs = await OpenVswitch.start()
    ovs.startDaemon('dpdk')
    client = await OvsdbClient.connect(ovs.remote)
  })
  after(async () => {
    await client.close()
    await ovs[Symbol.asyncDispose]()
  })
  const get = (column: string) => ovs.vsctl('get', 'Interface', VIF.name, column).trim()

  test('created, the same again, changed, removed', async () => {
    const transactions: string[] = []
    const options = { onTransaction: (what: string) => void transactions.push(what) }
    const plug = async (vif: Vif) => (await plugOvs(client, vif, options)).action
    assert.equal(await plug(VIF), 'created')
    const created = ovs.rows()
    assert.notEqual(get('ofport'), '[]', 'it returns once the daemon has acted')
    assert.equal(await plug(VIF), 'unchanged')
    assert.deepEqual(ovs.rows(), created)
    assert.deepEqual(transactions, ['plug'], 'one transaction')

    ovs.vsctl('set', 'Interface', VIF.name, 'external_ids:other=1', 'options:tx-retries-max=0')
    assert.equal(await plug({ ...VIF, mac: 'fa:16:3e:00:00:02', mtu: 9000 }), 'changed')
    assert.deepEqual(transactions, ['plug', 'change'])
    assert.equal(get('mtu_request'), '9000')
    assert.equal(get('external_ids:attached-mac'), '"fa:16:3e:00:00:02"')
    assert.equal(get('external_ids:other'), '"1"', "others' keys stay")
    assert.equal(await plug({ ...VIF, qemuMode: 'client' }), 'changed')
    assert.equal(get('type'), 'dpdkvhostuser')
    assert.equal(get('options'), '{tx-retries-max="0"}')

    assert.equal((await unplugOvs(client, VIF)).action, 'removed')
    assert.equal((await unplugOvs(client, VIF)).action, 'unchanged')
    assert.equal(ovs.vsctl('list-ports', 'br-plug').trim(), '')
    ovs.vsctl('del-br', 'br-plug')
  })

  test('an OVS that runs ignores another path: the interface goes, and comes back with it', async () => {
    await plugOvs(client, VIF)
    ovs.vsctl('set', 'Port', VIF.name, 'tag=7')
    const path = join(ovs.folder, 'b')
    // A guest that hangs up at once: that OVS came is enough.
    const server = createServer((socket) => socket.destroy()).listen(path)
    const asked = once(server, 'connection')
    const transactions: string[] = []
    const options = { onTransaction: (what: string) => void transactions.push(what) }
    assert.equal((await plugOvs(client, { ...VIF, socket: path }, options)).action, 'changed')
    assert.deepEqual(transactions, ['take down', 'change'])
    assert.equal(get('options'), `{vhost-server-path="${path}"}`)
    await asked
    server.close()
    assert.equal(get('type'), 'dpdkvhostuserclient')
    assert.equal(ovs.vsctl('get', 'Port', VIF.name, 'tag').trim(), '7')
    ovs.vsctl('del-br', 'br-plug')
  })

  test('the command, and that of ovs-vsctl, make the same', async () => {
    const input = JSON.stringify({ vifs: [VIF] })
    const ask = (name: string, ...args: string[]) =>
      vswitch(['vif', name, '-', '--ovsdb', ovs.remote, ...args], { input })
    const plugged = await ask('plug', '--verbose')
    assert.equal(plugged.stdout, 'vhuc9f9a3a2-2a: created (bridge br-plug)\n', plugged.stderr)
    assert.match(plugged.stderr, /^plug: \[\{.*"vhost-server-path"/)
    const ours = ovs.rows()
    ovs.vsctl('del-br', 'br-plug')
    ovs.vsctl(...ovsVsctlArguments(VIF))
    assert.deepEqual(ours, ovs.rows())
    const removed = await ask('unplug', '--json')
    assert.deepEqual(JSON.parse(removed.stdout), [
      { port: VIF.name, bridge: 'br-plug', action: 'removed' },
    ])
    ovs.vsctl('del-br', 'br-plug')
    // Of two ports the second cannot be: neither is left.
    const before = ovs.rows()
    const other = { ...VIF, name: 'other', bridge: 'br-other', plug: 'generic' }
    const two = { input: JSON.stringify({ vifs: [VIF, other] }) }
    const refused = await vswitch(['vif', 'plug', '-', '--ovsdb', ovs.remote], two)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /port other: plug = "generic" is not done in an OVSDB/)
    assert.deepEqual(ovs.vsctl('list-ports', 'br-plug').trim(), '')
    ovs.vsctl('del-br', 'br-plug')
    assert.deepEqual(ovs.rows(), before)
    const none = await vswitch(['vif', 'plug', '-', '--ovsdb', 'unix:/none'], { input })
    assert.equal(none.code, 1)
    assert.match(none.stderr, /^vswitch: no OVSDB at unix:\/none: there is no such socket; start/)
  })

  test("what is somebody else's stays", async () => {
    await plugOvs(client, VIF)
    const rows = ovs.rows()
    const refused = (vif: Vif, message: RegExp) =>
      assert.rejects(plugOvs(client, vif), { name: 'ConfigError', message })
    await refused({ ...VIF, bridge: 'br-x' }, /bridge = "br-x" is not its bridge: it is in br-plug/)
    const other = { ...VIF, id: 'd9f9a3a2-2a64-4b5e-9a7e-1f1d2c3b4a59' }
    await refused(other, /is not the port there, which is c9f9a3a2-.*; unplug that one first/)
    await assert.rejects(unplugOvs(client, other), /is not the port there/)
    await refused({ ...VIF, plug: 'generic' }, /plug = "generic" is not done in an OVSDB/)
    assert.deepEqual(ovs.rows(), rows)
    ovs.vsctl('del-br', 'br-plug')
    ovs.vsctl('add-br', 'br-plug')
    await refused(
      VIF,
      /has the datapath of the kernel.*; ovs-vsctl set Bridge br-plug datapath_type/,
    )
    ovs.vsctl('del-br', 'br-plug')
  })

  test('whatever request is the last, nothing is left', async () => {
    const before = ovs.rows()
    // Look, transaction, wait, error: after each of them the connection is cut.
    for (let requests = 1; requests <= 4; requests++) {
      await using proxy = await Cutting.start(ovs, requests)
      await using cut = await OvsdbClient.connect(proxy.remote)
      await assert.rejects(plugOvs(cut, VIF), { code: 'ERR_OVSDB_CLOSED' })
      assert.deepEqual(ovs.rows(), before, `${requests} requests`)
    }
  })

  test('what was to be changed is as it was, whatever request is the last', async () => {
    await plugOvs(client, VIF)
    const before = ovs.rows()
    // Look, take down, wait, change, wait, error.
    for (let requests = 1; requests <= 6; requests++) {
      await using proxy = await Cutting.start(ovs, requests)
      await using cut = await OvsdbClient.connect(proxy.remote)
      const moved = plugOvs(cut, { ...VIF, socket: '/run/vm/b' })
      await assert.rejects(moved, { code: 'ERR_OVSDB_CLOSED' })
      assert.deepEqual(ovs.rows(), before, `${requests} requests`)
    }
    ovs.vsctl('del-br', 'br-plug')
  })
})

describe('with an ovs-vswitchd that does not, or cannot', { skip: reasonToSkip() }, () => {
  test('nobody acts, or somebody asks to stop', async () => {
    await using ovs = await OpenVswitch.start()
    await using client = await OvsdbClient.connect(ovs.remote)
    const before = ovs.rows()
    await assert.rejects(plugOvs(client, VIF, { timeoutMs: 50 }), {
      code: 'ERR_OVS_PLUG',
      message: /: ovs-vswitchd has not acted within 50 ms; is it running\? everything was taken/,
    })
    assert.deepEqual(ovs.rows(), before)
    const signal = AbortSignal.timeout(50)
    await assert.rejects(plugOvs(client, VIF, { signal }), { name: 'TimeoutError' })
    assert.deepEqual(ovs.rows(), before)
  })

  test('its error is told, and the port is gone', async () => {
    await using ovs = await OpenVswitch.start()
    ovs.startDaemon('real')
    await using client = await OvsdbClient.connect(ovs.remote)
    const before = ovs.rows()
    await assert.rejects(plugOvs(client, { ...VIF, bridge: `plug${process.pid}` }), {
      code: 'ERR_OVS_PLUG',
      message:
        /OVS says "could not .*vhuc9f9a3a2-2a.*"; .*dpdk-init=true; everything was taken back/,
    })
    assert.deepEqual(ovs.rows(), before)
  })
})

/** Hands on requests to a database and its answers; the first connection ends in place of the answer to the last request. */
class Cutting implements AsyncDisposable {
  readonly remote: string
  readonly #server: Server
  readonly #sockets: Socket[] = []

  private constructor(server: Server, path: string) {
    this.#server = server
    this.remote = `unix:${path}`
  }

  static async start(ovs: OpenVswitch, requests: number): Promise<Cutting> {
    const path = join(ovs.folder, `cut${requests}-${Date.now()}`)
    const server = createServer((socket) => proxy.#hand(socket, connect(ovs.socket), requests))
    const proxy = new Cutting(server, path)
    server.listen(path)
    await once(server, 'listening')
    return proxy
  }

  #hand(socket: Socket, server: Socket, requests: number): void {
    const isFirst = this.#sockets.length === 0
    this.#sockets.push(socket, server)
    let answers = 0
    const framer = new JsonFramer()
    socket.on('error', () => {}).on('close', () => server.destroy())
    server.on('error', () => {})
    socket.on('data', (data) => server.write(data))
    server.on('data', (data) => {
      for (const answer of framer.push(data)) {
        if (isFirst && ++answers === requests) socket.destroy()
        else socket.write(JSON.stringify(answer))
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
