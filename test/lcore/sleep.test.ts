/** An idle lcore sleeps, and the first frame wakes it. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { Datapath, type Lcore, type Port } from '../../src/index.js'
import { Child } from '../support/child.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const pingPong = new URL('../lifecycle/children/ping-pong.js', import.meta.url)

describe('an idle lcore', () => {
  const folder = socketFolder()
  let datapath: Datapath
  let vhost: Port
  let guest: Child
  before(async () => {
    datapath = await Datapath.open(SMALL)
    const path = `${folder.path}/guest`
    vhost = await datapath.addPort({ name: 'vhost', type: 'dpdkvhostuser', path })
    // Elsewhere, so that its device, which has to be polled, is not on our lcores.
    guest = new Child(new URL('./programs/guest.js', import.meta.url), [path])
    await vhost.ready({ timeoutMs: 60_000 })
  })
  after(async () => {
    await guest[Symbol.asyncDispose]()
    await datapath.close()
    folder[Symbol.dispose]()
  })

  /** Lets it be idle, and returns what it did meanwhile. */
  async function idle(lcore: Lcore) {
    await pause(100)
    const before = lcore.counters()
    await pause(400)
    const now = lcore.counters()
    return { polls: now.polls - before.polls, sleeps: now.sleeps - before.sleeps }
  }

  /** Longer than is waited for what ends it: only a kick, not the end of the sleep, can let a test pass. */
  const maxSleepMs = 10_000
  const AWAKE_MS = 8000

  async function answers(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const sent = vhost.counters().tx.frames
      guest.send('frame')
      await until('it came back', () => vhost.counters().tx.frames === sent + 1, AWAKE_MS)
      await pause(5)
    }
  }

  test('in a Worker sleeps in the kernel and is woken by a kick', async () => {
    await using lcore = await datapath.launch(pingPong, {
      ports: [vhost.name],
      maxSleepMs,
    })
    const { polls, sleeps } = await idle(lcore)
    assert.ok(polls < 1000, `${polls} polls, ${sleeps} sleeps`)
    await answers(20)
    assert.ok((await idle(lcore)).polls < 1000, 'it sleeps again')
  })

  test('on the main thread sleeps too, and is woken by a kick', async () => {
    await using lcore = await datapath.run(
      (burst) => void burst.outPort.fill(vhost.id, 0, burst.count),
      { ports: [vhost.name], maxSleepMs },
    )
    assert.ok((await idle(lcore)).polls < 1000)
    await answers(20)
  })

  test('told to spin, does not sleep', async () => {
    await using lcore = await datapath.launch(pingPong, { ports: [vhost.name], idle: 'spin' })
    const { polls, sleeps } = await idle(lcore)
    assert.ok(sleeps === 0 && polls > 1000, `${polls} polls, ${sleeps} sleeps`)
    await answers(5)
  })

  test('a program with work of its own is not put to sleep', async () => {
    let asked = 0
    await using lcore = await datapath.run({
      burst() {},
      idle() {
        asked += 1
      },
    })
    assert.equal((await idle(lcore)).sleeps, 0)
    await until('it is asked again and again', () => asked > 1000)
  })

  test('sleeping, it still hears messages, stops at once and sees new ports', async () => {
    const lcore = await datapath.launch(pingPong, { maxSleepMs })
    await pause(50)
    await using _more = await datapath.addPort({ name: 'more', type: 'dpdk', devargs: 'net_null7' })
    await until('the new port is polled', () => _more.counters().rx.frames > 0, AWAKE_MS)
    await lcore.stop()
    assert.equal(datapath.lcores.size, 0)
  })

  test('on the main thread lets timers and sockets go on under load', async () => {
    await using endless = await datapath.addPort({
      name: 'endless',
      type: 'dpdk',
      devargs: 'net_null8,size=64',
    })
    const server = createServer((_, response) => response.end('still here'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await using _lcore = await datapath.run(() => {}, { ports: [endless.name] })
    for (let i = 0; i < 20; i++) {
      const before = endless.counters().rx.frames
      const response = await fetch(`http://127.0.0.1:${port}/`)
      assert.equal(await response.text(), 'still here')
      await pause(1)
      assert.ok(endless.counters().rx.frames > before, 'and frames move meanwhile')
    }
    server.closeAllConnections()
    server.close()
  })
})
