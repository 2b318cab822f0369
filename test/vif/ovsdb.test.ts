// The OVSDB client beside a real ovsdb-server, and with peers that are none.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { mapOf, membersOf, OvsdbClient, toMap, toSet } from '../../src/vif/index.js'
import { JsonFramer } from '../../src/vif/ovsdb/framer.js'
import { noOvs, OpenVswitch } from './open-vswitch.js'

describe('a real ovsdb-server', { skip: noOvs() }, () => {
  let ovs: OpenVswitch
  before(async () => {
    ovs = await OpenVswitch.start()
  })
  after(() => ovs[Symbol.asyncDispose]())

  test('databases, schema, rows', async () => {
    await using client = await OvsdbClient.connect(ovs.remote)
    assert.ok((await client.listDbs()).includes('Open_vSwitch'))
    const { name, tables } = await client.getSchema()
    assert.equal(name, 'Open_vSwitch')
    assert.ok(tables.Interface?.columns.mtu_request)
    await client.transact([
      {
        op: 'update',
        table: 'Open_vSwitch',
        where: [],
        row: { external_ids: toMap({ 'a "b"': '}{\\' }), iface_types: toSet(['é', 'x']) },
      },
    ])
    const [row] = await client.select('Open_vSwitch', [], ['external_ids', 'iface_types'])
    assert.deepEqual(mapOf(row?.external_ids), { 'a "b"': '}{\\' })
    assert.deepEqual(membersOf(row?.iface_types).sort(), ['x', 'é'])
    assert.deepEqual(await client.select('Open_vSwitch', [['next_cfg', '<', -1]]), [])
  })

  test('what is refused has changed nothing, and says which operation', async () => {
    await using client = await OvsdbClient.connect(ovs.remote)
    const change = { op: 'mutate', table: 'Open_vSwitch', where: [] }
    const count = async () => (await client.select('Open_vSwitch', [], ['next_cfg']))[0]?.next_cfg
    const before = await count()
    const refused = client.transact([
      { ...change, mutations: [['next_cfg', '+=', 1]] },
      { op: 'insert', table: 'Nothing', row: {} },
    ])
    await assert.rejects(refused, (error: Error) => {
      assert.match(error.message, /refused operation 1, insert Nothing: .*; nothing was changed$/)
      return true
    })
    // A Bridge needs a name of its own, which only the end of the transaction shows.
    const insert = { op: 'insert', table: 'QoS', row: {} }
    const twice = ['b', 'c'].map((uuid) => ({
      op: 'insert',
      table: 'Bridge',
      'uuid-name': uuid,
      row: { name: 'same' },
    }))
    const bridges = toSet(['b', 'c'].map((uuid) => ['named-uuid', uuid]))
    const ambiguous = [insert, ...twice, { ...change, mutations: [['bridges', 'insert', bridges]] }]
    await assert.rejects(client.transact(ambiguous), /refused the transaction: constraint viol/)
    assert.equal(await count(), before)
    await assert.rejects(client.getSchema('Nothing'), {
      code: 'ERR_OVSDB_REFUSED',
      reason: 'unknown database',
    })
  })

  test('many requests at once, and waiting', async () => {
    await using client = await OvsdbClient.connect(ovs.remote)
    const wait = (timeout: number) => ({
      op: 'wait',
      table: 'Bridge',
      timeout,
      where: [['name', '==', 'late']],
      columns: ['name'],
      until: '!=',
      rows: [],
    })
    const waiting = client.transact([wait(10_000)])
    assert.equal((await Promise.all([1, 2, 3].map(() => client.listDbs()))).length, 3)
    ovs.vsctl('--no-wait', 'add-br', 'late')
    await waiting
    ovs.vsctl('--no-wait', 'del-br', 'late')
    await assert.rejects(client.transact([wait(1)]), { reason: 'timed out' })
  })

  test('over TCP', async () => {
    ovs.vsctl('--no-wait', 'set-manager', 'ptcp:0:127.0.0.1')
    // With port 0 the server chooses one, and says in its table which.
    await using local = await OvsdbClient.connect(ovs.remote)
    const bound = async () => {
      const [row] = await local.select('Manager', [], ['status'])
      return mapOf(row?.status).bound_port
    }
    let port = await bound()
    for (let i = 0; i < 500 && port === undefined; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      port = await bound()
    }
    await using client = await OvsdbClient.connect(`tcp:127.0.0.1:${port}`)
    assert.ok((await client.listDbs()).includes('Open_vSwitch'))
  })

  test('a server that ends', async () => {
    await using own = await OpenVswitch.start()
    await using client = await OvsdbClient.connect(own.remote)
    await client.listDbs()
    const waiting = client.transact([
      { op: 'wait', table: 'Bridge', where: [], columns: ['name'], until: '!=', rows: [] },
    ])
    const ends = assert.rejects(waiting, {
      code: 'ERR_OVSDB_CLOSED',
      message: /the server went away/,
    })
    await own[Symbol.asyncDispose]()
    await ends
    await assert.rejects(client.listDbs(), { code: 'ERR_OVSDB_CLOSED' })
  })
})

describe('peers that are none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-vhost-ovsdb-'))
  const servers: Server[] = []
  after(async () => {
    for (const server of servers) {
      server.close()
      await once(server, 'close')
    }
    rmSync(folder, { recursive: true })
  })

  async function serve(take: (socket: Socket) => void): Promise<string> {
    const server = createServer((socket) => {
      // Its end is seen only by who reads.
      socket.on('error', () => {}).resume()
      take(socket)
    })
    servers.push(server)
    const path = join(folder, `s${servers.length}`)
    server.listen(path)
    await once(server, 'listening')
    return `unix:${path}`
  }

  test('nobody there', async () => {
    const path = join(folder, 'none')
    const refused = (remote: string, message: RegExp) =>
      assert.rejects(OvsdbClient.connect(remote), { code: 'ERR_OVSDB_UNREACHABLE', message })
    await refused(`unix:${path}`, /^no OVSDB at unix:.*none: there is no such socket; start/)
    writeFileSync(path, '')
    await refused(`unix:${path}`, /nobody listens; start ovsdb-server$/)
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    await refused(`tcp:127.0.0.1:${port}`, /nobody listens; have it listen with: ovs-vsctl set-m/)
  })

  test('a remote that is none', async () => {
    for (const remote of ['/run/db.sock', 'tcp:host', 'tcp:a:0', 'tcp:a:70000', 'unix:']) {
      const message = /ovsdb: .* is no OVSDB remote; give unix:\/path or tcp:host:port/
      await assert.rejects(OvsdbClient.connect(remote), { name: 'ConfigError', message })
    }
    await assert.rejects(OvsdbClient.connect('ssl:a:6640'), /needs TLS; give/)
  })

  test('one that answers something else', async () => {
    for (const answer of ['HTTP/1.1 400 Bad Request\r\n\r\n', '{"id" 1}', ']', '"text"', 'null']) {
      const remote = await serve((socket) => socket.on('data', () => socket.write(answer)))
      await using client = await OvsdbClient.connect(remote)
      const message = /what came is not OVSDB: .*; name the socket of ovsdb-server/
      await assert.rejects(client.listDbs(), { code: 'ERR_OVSDB_PROTOCOL', message })
    }
  })

  test('one that says nothing, and one that hangs up', async () => {
    const silent = await serve(() => {})
    await using client = await OvsdbClient.connect(silent, { timeoutMs: 50 })
    const message = /did not answer list_dbs within 50 ms; is ovsdb-server busy/
    await assert.rejects(client.listDbs(), { code: 'ERR_OVSDB_TIMEOUT', message })
    const waiting = client.listDbs()
    await Promise.all([assert.rejects(waiting, { code: 'ERR_OVSDB_CLOSED' }), client.close()])
    const hanging = await serve((socket) => socket.on('data', () => socket.destroy()))
    await using other = await OvsdbClient.connect(hanging)
    await assert.rejects(other.listDbs(), { code: 'ERR_OVSDB_CLOSED' })
  })

  test('one that asks whether we are alive is answered', async () => {
    const answers: string[] = []
    const remote = await serve((socket) => {
      socket.write('{"method":"echo","id":"echo","params":["a"]}')
      socket.on('data', (data) => answers.push(String(data)))
      socket.once('data', () => socket.write('{"id":1,"result":["x"],"error":null}'))
    })
    await using client = await OvsdbClient.connect(remote)
    assert.deepEqual(await client.listDbs(), ['x'])
    while (!answers.join('').includes('echo'))
      await new Promise((resolve) => setTimeout(resolve, 1))
    assert.match(answers.join(''), /\{"result":\["a"\],"error":null,"id":"echo"\}/)
  })
})

test('objects come in any pieces', () => {
  const documents = [{ a: '}"\\{é' }, [1, [2]], { b: {} }]
  const bytes = Buffer.from(documents.map((one) => JSON.stringify(one)).join(' \n'))
  for (let length = 1; length <= bytes.length; length++) {
    const framer = new JsonFramer()
    const read: unknown[] = []
    for (let at = 0; at < bytes.length; at += length) {
      read.push(...framer.push(bytes.subarray(at, at + length)))
    }
    assert.deepEqual(read, documents)
  }
  assert.throws(() => new JsonFramer(10).push(Buffer.from('{"a": "more than ten')), /more than 10/)
})
