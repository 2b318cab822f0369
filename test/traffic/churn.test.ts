/** Ports come, go and die while others carry traffic, and those lose nothing. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Datapath, type Lcore, type Port } from '../../src/index.js'
import { TestHost } from '../../src/testkit/index.js'
import { account, NOTHING_WRONG } from '../support/accounts.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'

const LIMIT = { timeout: 120_000 }

describe('ports that come and go', () => {
  const folder = socketFolder()
  const at = (name: string) => `${folder.path}/${name}`
  let datapath: Datapath
  let lcore: Lcore
  const hosts: TestHost[] = []
  before(async () => {
    datapath = await Datapath.open(SMALL)
    lcore = await datapath.launch('dpdk-vhost/programs/learning-switch')
    for (const name of ['one', 'two']) {
      const port = await datapath.addPort({ name, type: 'dpdkvhostuserclient', path: at(name) })
      const host = await TestHost.start({ path: at(name), ip: `10.0.0.${hosts.length + 1}` })
      hosts.push(host)
      await port.ready({ timeoutMs: 60_000 })
      await host.linkUp()
    }
    await pingWorks()
  })
  after(async () => {
    await Promise.all(hosts.map((host) => host.close()))
    await datapath.close()
    folder[Symbol.dispose]()
  })

  const [one, two] = [() => hosts[0] as TestHost, () => hosts[1] as TestHost]
  async function pingWorks(): Promise<void> {
    const { sent, received } = await one().ping('10.0.0.2', { count: 3, intervalMs: 20 })
    assert.equal(received, sent)
  }

  /** Runs `disturbance` while numbered frames flow between the first two hosts, and checks that none is lost by us. */
  async function undisturbed(disturbance: () => Promise<void>): Promise<void> {
    const accounts = account(datapath.ports.get('two') as Port, two())
    const sending = await one().startSending({ to: two(), rate: 3000, size: [64, 1514] })
    await disturbance()
    await until('many are sent', async () => (await sending.progress()).frames > 1000)
    const { delivery, ...wrong } = await accounts(sending)
    // A ring that was full may have refused frames of others to all, too.
    assert.deepEqual({ ...wrong, unaccounted: Math.max(wrong.unaccounted, 0) }, NOTHING_WRONG)
    assert.ok(delivery.frames > 500, `${delivery.frames} frames arrived`)
  }

  test('adding and removing ports loses nothing on the others', LIMIT, () =>
    undisturbed(async () => {
      for (let round = 0; round < 10; round++) {
        const client = await datapath.addPort({
          name: 'c',
          type: 'dpdkvhostuserclient',
          path: at('c'),
        })
        const server = await datapath.addPort({ name: 's', type: 'dpdkvhostuser', path: at('s') })
        const tap = await datapath.addPort({ name: 'n', type: 'dpdk', devargs: 'net_ring0' })
        await Promise.all([client.remove(), server.remove(), tap.remove()])
      }
    }),
  )

  test('a guest that comes, talks and goes loses nothing on the others', LIMIT, () =>
    undisturbed(async () => {
      await using port: Port = await datapath.addPort({
        name: 'third',
        type: 'dpdkvhostuserclient',
        path: at('third'),
      })
      for (let round = 0; round < 3; round++) {
        await using host = await TestHost.start({ path: at('third'), ip: '10.0.0.3' })
        await port.ready({ timeoutMs: 60_000 })
        await host.linkUp()
        assert.equal((await host.ping('10.0.0.2')).received, 1)
      }
    }),
  )

  test(
    'a guest killed in the middle of its traffic loses nothing on the others, and comes back',
    LIMIT,
    () =>
      undisturbed(async () => {
        await using port: Port = await datapath.addPort({
          name: 'doomed',
          type: 'dpdkvhostuserclient',
          path: at('doomed'),
        })
        for (let round = 0; round < 3; round++) {
          await using host = await TestHost.start({ path: at('doomed'), ip: '10.0.0.4' })
          await port.ready({ timeoutMs: 60_000 })
          await host.linkUp()
          const before = port.counters().rx.frames
          await host.startSending({ to: 'broadcast', rate: 5000 })
          await until('its frames come', () => port.counters().rx.frames > before + 100)
          host.kill()
          await until('it is gone', () => port.status.state !== 'ready')
        }
      }),
  )

  test('a port removed under its own traffic leaves no frame behind', LIMIT, async () => {
    for (let round = 0; round < 5; round++) {
      const port = await datapath.addPort({
        name: 'busy',
        type: 'dpdkvhostuserclient',
        path: at('busy'),
      })
      await using host = await TestHost.start({ path: at('busy') })
      await port.ready({ timeoutMs: 60_000 })
      await host.linkUp()
      await host.startSending({ to: two(), rate: 'max', seconds: 5 })
      await until('its frames come', () => port.counters().rx.frames > 1000)
      await port.remove()
    }
    // Its last frames may still fill the ring.
    await until('there is room', async () => (await one().ping('10.0.0.2')).received === 1)
    await pingWorks()
  })

  test('a program replaced under traffic loses nothing', LIMIT, () =>
    undisturbed(async () => {
      for (let round = 0; round < 10; round++)
        await lcore.replace('dpdk-vhost/programs/learning-switch')
    }),
  )

  test('a lcore that joins and leaves loses nothing', LIMIT, () =>
    undisturbed(async () => {
      for (let round = 0; round < 5; round++) {
        await using _second = await datapath.launch('dpdk-vhost/programs/learning-switch')
      }
    }),
  )
})
