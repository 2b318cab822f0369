/** Many queue pairs on several lcores: what a guest enables is polled and sent to, by whom it should be. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Datapath, type Lcore, type Port } from '../../src/index.js'
import { TestHost } from '../../src/testkit/index.js'
import { GuestQueues } from '../support/guest-queues.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'

const LIMIT = { timeout: 120_000 }
const SOURCE = new URL('./programs/source.js', import.meta.url)
const CROSS_CONNECT = 'dpdk-vhost/programs/cross-connect'
/** As many as virtio-user has before DPDK 24; QEMU's guests have more (test/vm). */
const MOST = 8
const IN_ORDER = { reordered: 0, duplicated: 0, corrupted: 0 }

describe('queues of two guests', () => {
  const folder = socketFolder()
  const at = (name: string) => `${folder.path}/${name}`
  let datapath: Datapath
  const ports: Port[] = []
  before(async () => {
    datapath = await Datapath.open(SMALL)
    for (const name of ['a', 'b']) {
      ports.push(await datapath.addPort({ name, type: 'dpdkvhostuserclient', path: at(name) }))
    }
  })
  after(async () => {
    await datapath.close()
    folder[Symbol.dispose]()
  })

  /** Guests with so many queue pairs each. */
  async function guests(...queues: [a: number, b: number]) {
    const hosts: TestHost[] = []
    for (const [i, port] of ports.entries()) {
      const path = at(port.name)
      const wanted = queues[i] as number
      hosts.push(await TestHost.start({ path, queues: wanted, queueSize: 256 }))
      await port.ready({ timeoutMs: 60_000 })
      await hosts[i]?.linkUp()
      await until(`${wanted} queues are enabled`, () =>
        [port.status.rxQueues, port.status.txQueues].every(({ length }) => length === wanted),
      )
      await until('each is polled', () => !pollersOf(port.name).includes(undefined))
    }
    const [a, b] = hosts as [TestHost, TestHost]
    return {
      a,
      b,
      async [Symbol.asyncDispose]() {
        await Promise.all(hosts.map((host) => host.close()))
        await until('they are gone', () => ports.every(({ status }) => status.state !== 'ready'))
      },
    }
  }

  /** Streams by every queue both ways; checks that all arrive in order or are accounted for. */
  async function traffic(a: TestHost, b: TestHost, queues: number): Promise<void> {
    const full = () => ports.reduce((sum, port) => sum + port.counters().tx.droppedRingFull, 0)
    const before = full()
    const ways = [
      { from: a, to: b },
      { from: b, to: a },
    ].flatMap(({ from, to }) => Array.from({ length: queues }, (_, queue) => ({ from, to, queue })))
    const sendings = await Promise.all(
      ways.map(async ({ from, to, queue }) => ({
        to,
        sending: await from.startSending({ to, queue, rate: 400, flows: 3, seconds: 1 }),
      })),
    )
    let lost = 0
    for (const { to, sending } of sendings) {
      const { frames, lost: missing, ...rest } = await to.delivery(await sending.result)
      const { reordered, duplicated, corrupted } = rest
      assert.deepEqual({ reordered, duplicated, corrupted }, IN_ORDER)
      assert.ok(frames > 20, `${frames} frames arrived`)
      lost += missing
    }
    assert.equal(lost, full() - before)
  }

  const pollersOf = (port: string) =>
    datapath
      .rxQueues()
      .filter((queue) => queue.port === port && queue.enabled)
      .map(({ lcore }) => lcore)

  test(`${MOST} queue pairs each, on two lcores`, LIMIT, async () => {
    await using _one = await datapath.launch(CROSS_CONNECT, { name: 'one' })
    await using _two = await datapath.launch(CROSS_CONNECT, { name: 'two' })
    await using hosts = await guests(MOST, MOST)
    await traffic(hosts.a, hosts.b, MOST)
    for (const port of ports) {
      const { rxQueues, txQueues } = port.counters()
      assert.equal(rxQueues.filter(({ frames }) => frames > 0).length, MOST, 'rx queues in use')
      // Each lcore has one of its own.
      assert.equal(txQueues.filter(({ frames }) => frames > 0).length, 2, 'tx queues in use')
    }
    const all = [...pollersOf('a'), ...pollersOf('b')]
    assert.equal(all.length, 2 * MOST)
    assert.equal(all.filter((name) => name === 'one').length, MOST)
  })

  test('one port on two lcores, as pinned; two ports on one lcore', LIMIT, async () => {
    const [a, b] = ports as [Port, Port]
    await using one = await datapath.launch(CROSS_CONNECT, { name: 'one' })
    await using hosts = await guests(4, 2)
    assert.deepEqual([pollersOf('a'), pollersOf('b')], [Array(4).fill('one'), Array(2).fill('one')])
    await traffic(hosts.a, hosts.b, 2)

    await a.setRxAffinity({ 0: 'pinned', 1: 'pinned', 2: 'one', 3: 'pinned' })
    assert.deepEqual(pollersOf('a'), Array(4).fill('one'), 'while its lcore does not run')
    {
      await using _pinned = await datapath.launch(CROSS_CONNECT, {
        name: 'pinned',
        ports: 'pinned',
      })
      assert.deepEqual(pollersOf('a'), ['pinned', 'pinned', 'one', 'pinned'])
      assert.deepEqual(pollersOf('b'), ['one', 'one'])
      await traffic(hosts.a, hosts.b, 2)
      const ownTx = b.counters().txQueues.map(({ frames }) => frames)
      assert.ok(
        ownTx.slice(0, 2).every((frames) => frames > 0),
        String(ownTx),
      )
      await assert.rejects(datapath.launch(CROSS_CONNECT, { name: 'pinned' }), {
        code: 'ERR_LCORE',
        message: /an lcore is called 'pinned' already/,
      })
    }
    assert.deepEqual(pollersOf('a'), Array(4).fill('one'), 'its lcore has ended')
    await traffic(hosts.a, hosts.b, 2)
    await a.setRxAffinity({})
    assert.ok(one.counters().polls > 0)
  })

  test('a guest that comes back with other queues', LIMIT, async () => {
    await using _one = await datapath.launch(CROSS_CONNECT, { name: 'one' })
    await using _two = await datapath.launch(CROSS_CONNECT, { name: 'two' })
    for (const [a, b] of [
      [8, 1],
      [1, 5],
      [3, 3],
    ] as const) {
      await using hosts = await guests(a, b)
      await traffic(hosts.a, hosts.b, Math.min(a, b))
      for (const [port, enabled] of [
        ['a', a],
        ['b', b],
      ] as const) {
        assert.equal(pollersOf(port).length, enabled)
      }
      const all = [...pollersOf('a'), ...pollersOf('b')]
      const uneven = 2 * all.filter((name) => name === 'one').length - all.length
      assert.ok(Math.abs(uneven) <= 1, `spread evenly: ${all}`)
    }
  })
})

describe('a guest that disables queues while it runs', () => {
  const folder = socketFolder()
  let datapath: Datapath
  let vhost: Port
  let guest: Port
  let queues: GuestQueues
  const lcores: Lcore[] = []
  before(async () => {
    datapath = await Datapath.open(SMALL)
    const path = `${folder.path}/guest`
    vhost = await datapath.addPort({ name: 'vhost', type: 'dpdkvhostuser', path })
    queues = new GuestQueues(path)
    guest = await datapath.addPort({
      name: 'guest',
      type: 'dpdk',
      devargs: `net_virtio_user0,path=${path},queues=3,cq=1`,
      rxQueues: 3,
      txQueues: 3,
    })
    await vhost.ready({ timeoutMs: 60_000 })
    await guest.ready({ timeoutMs: 60_000 })
    await until('its queues are enabled', () => vhost.status.txQueues.length === 3)
    // One after the other, because they take the tx queues in turn.
    for (let i = 0; i < 4; i++) lcores.push(await datapath.launch(SOURCE, { name: `lcore${i}` }))
  })
  after(async () => {
    await datapath.close()
    folder[Symbol.dispose]()
  })

  /** So few that all of them fit into one ring of 256. */
  const COUNT = 50
  /** By which tx queues of a port so many frames of each lcore leave. */
  async function spread(port: Port): Promise<number[]> {
    const now = () => [0, 1, 2].map((queue) => port.counters().txQueues[queue]?.frames ?? 0)
    const total = () => now().reduce((sum, frames) => sum + frames, 0)
    const before = now()
    const already = total()
    await Promise.all(lcores.map((lcore) => lcore.call([port.name, COUNT])))
    await until('all are sent', () => total() === already + COUNT * lcores.length)
    return now().map((frames, queue) => (frames - (before[queue] as number)) / COUNT)
  }

  async function set(direction: 'rx' | 'tx', queue: number, enabled: boolean): Promise<void> {
    queues.set(direction, queue, enabled)
    const known = () => (direction === 'rx' ? vhost.status.rxQueues : vhost.status.txQueues)
    await until(`${direction} queue ${queue} is as set`, () => known().includes(queue) === enabled)
  }

  test('a tx queue: its lcore uses another, the others keep theirs', LIMIT, async () => {
    assert.deepEqual(await spread(vhost), [2, 1, 1], 'the fourth lcore shares the first queue')
    await set('tx', 1, false)
    assert.deepEqual(await spread(vhost), [3, 0, 1])
    await set('tx', 0, false)
    assert.deepEqual(await spread(vhost), [0, 0, 4])
    await set('tx', 1, true)
    assert.deepEqual(await spread(vhost), [0, 2, 2])
    await set('tx', 0, true)
    assert.deepEqual(await spread(vhost), [2, 1, 1])
    assert.equal(vhost.counters().tx.droppedRingFull + vhost.counters().tx.droppedNotConnected, 0)
  })

  test('all tx queues: frames are dropped and counted', LIMIT, async () => {
    for (const queue of [0, 1, 2]) await set('tx', queue, false)
    await Promise.all(lcores.map((lcore) => lcore.call(['vhost', COUNT])))
    await until('all are counted', () => vhost.counters().tx.droppedNotConnected === 4 * COUNT)
    for (const queue of [0, 1, 2]) await set('tx', queue, true)
    assert.deepEqual(await spread(vhost), [2, 1, 1])
  })

  test('an rx queue: it is not polled, and polled again', LIMIT, async () => {
    const enabled = () =>
      datapath.rxQueues().filter(({ port, enabled }) => port === 'vhost' && enabled).length
    const came = () => [0, 1, 2].map((queue) => vhost.counters().rxQueues[queue]?.frames ?? 0)
    await spread(guest)
    await until('all came', () => came().reduce((sum, frames) => sum + frames) === 4 * COUNT)
    const before = came()
    await set('rx', 2, false)
    assert.equal(enabled(), 2)
    await spread(guest)
    await until('those of the others came', () => came()[1] === 2 * COUNT)
    assert.equal(came()[2], before[2])
    await set('rx', 2, true)
    assert.equal(enabled(), 3)
    await until('the rest came', () => came()[2] === 2 * COUNT)
  })
})
