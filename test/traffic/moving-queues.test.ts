/** Rx queues change their lcore under traffic, and frames of a flow stay in order. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Datapath, type LaunchOptions, type Lcore } from '../../src/index.js'
import { TestHost, type TestHostOptions } from '../../src/testkit/index.js'
import { account, NOTHING_WRONG } from '../support/accounts.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'

const LIMIT = { timeout: 120_000 }
const SLOW = new URL('./programs/slow.js', import.meta.url)

/**
 * Two guests with two ports between them. The receiver has one queue pair: a guest with more may look at its rings in
 * any order.
 */
async function sides(options: Partial<TestHostOptions> = {}) {
  const folder = socketFolder()
  const datapath = await Datapath.open(SMALL)
  const hosts: TestHost[] = []
  for (const name of ['a', 'b']) {
    const path = `${folder.path}/${name}`
    const port = await datapath.addPort({ name, type: 'dpdkvhostuserclient', path })
    const host = await TestHost.start({ path, ...(name === 'a' ? options : {}) })
    hosts.push(host)
    await port.ready({ timeoutMs: 60_000 })
    await host.linkUp()
  }
  const [a, b] = hosts as [TestHost, TestHost]
  return {
    datapath,
    a,
    b,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(hosts.map((host) => host.close()))
      await datapath.close()
      folder[Symbol.dispose]()
    },
  }
}

describe('rx queues that change their lcore', () => {
  test('the next lcore waits for the burst that the last one has in hand', LIMIT, async () => {
    await using set = await sides()
    const { datapath, a, b } = set
    const launch = (name: string, holdMs: number) =>
      datapath.launch(SLOW, { name, data: { holdMs }, ports: 'pinned' } satisfies LaunchOptions)
    const lcores = [await launch('slow', 20), await launch('quick', 0)]
    const from = datapath.ports.get('a')
    const to = datapath.ports.get('b')
    assert.ok(from && to)
    await from.setRxAffinity({ 0: 'slow' })

    const accounts = account(to, b)
    const sending = await a.startSending({ to: b, rate: 1000, flows: 3 })
    const bursts = (lcore: Lcore) =>
      lcore.counters().burstSizes.reduce((sum, count) => sum + count, 0)
    // On a busy machine a round may be over before its lcore had a turn.
    for (let round = 0; round < 40 || lcores.some((lcore) => bursts(lcore) <= 20); round++) {
      await delay(50)
      await from.setRxAffinity({ 0: round % 2 === 0 ? 'quick' : 'slow' })
    }
    const { delivery, ...wrong } = await accounts(sending)
    assert.deepEqual(wrong, NOTHING_WRONG)
    assert.ok(delivery.frames > 500, `${delivery.frames} frames arrived`)
    const { rx } = from.counters()
    assert.equal(rx.frames, delivery.frames + delivery.lost, 'no count was lost either')
  })

  test('lcores that come and go take queues over in order', LIMIT, async () => {
    await using set = await sides({ queues: 4 })
    const { datapath, a, b } = set
    const [from, to] = [datapath.ports.get('a'), datapath.ports.get('b')]
    assert.ok(from && to)
    await using first = await datapath.launch('dpdk-vhost/programs/cross-connect')
    await until('all queues are enabled', () => from.status.rxQueues.length === 4)
    const sendings = []
    for (let queue = 0; queue < 4; queue++) {
      sendings.push(await a.startSending({ to: b, rate: 1500, flows: 4, queue }))
    }
    for (let round = 0; round < 6; round++) {
      await using second = await datapath.launch('dpdk-vhost/programs/cross-connect')
      const pollers = datapath.rxQueues().filter(({ port }) => port === 'a')
      assert.deepEqual(
        pollers.map(({ lcore }) => lcore).sort(),
        [first, first, second, second].map(({ name }) => name).sort(),
      )
      await delay(100)
    }
    let lost = 0
    for (const sending of sendings) {
      const { reordered, duplicated, corrupted, ...rest } = await b.delivery(await sending.stop())
      assert.deepEqual(
        { reordered, duplicated, corrupted },
        { reordered: 0, duplicated: 0, corrupted: 0 },
      )
      assert.ok(rest.frames > 100, `${rest.frames} frames arrived`)
      lost += rest.lost
    }
    assert.equal(lost, to.counters().tx.droppedRingFull)
  })
})
