/** Real hosts on a switch of two bridges and two lcores, each with some of the ports of both. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Datapath } from '../../../src/index.js'
import { bridgeCounters, macEntries } from '../../../src/switch/bridge/index.js'
import type { SwitchImage } from '../../../src/switch/image.js'
import { TestHost } from '../../../src/testkit/index.js'
import { SMALL, socketFolder, until } from '../../support/loopback.js'
import { attached } from '../images.js'
import { imageOf, userProgram } from './switch-lcore.js'

const module = new URL('../../../src/switch/lcore/program.js', import.meta.url)

describe('two lcores of one switch', () => {
  test('learn together, keep VLANs and bridges apart, and outlive a bad program of one bridge', {
    timeout: 240_000,
  }, async () => {
    using folder = socketFolder()
    await using datapath = await Datapath.open(SMALL)
    const paths = Object.fromEntries(
      ['a', 'b', 'c', 'x', 'y'].map((name) => [name, `${folder.path}/${name}`] as const),
    ) as Record<'a' | 'b' | 'c' | 'x' | 'y', string>
    const access = attached({ tag: 5 })
    const one = imageOf('one', [], {
      ports: { a: access, b: access, c: attached({ tag: 6 }) },
    })
    const two = imageOf('two', ['x', 'y'])
    const data: SwitchImage = { bridges: [one, two] }
    const lcores = [
      await datapath.launch(module, { data, ports: ['a', 'x'] }),
      await datapath.launch(module, { data, ports: ['b', 'c', 'y'] }),
    ]
    const tell = (message: unknown) => Promise.all(lcores.map((lcore) => lcore.call(message)))
    const ports = await Promise.all(
      Object.entries(paths).map(([name, path]) =>
        datapath.addPort({ name, type: 'dpdkvhostuserclient', path }),
      ),
    )
    await using a = await TestHost.start({ path: paths.a, ip: '10.0.0.1' })
    await using b = await TestHost.start({ path: paths.b, ip: '10.0.0.2' })
    await using c = await TestHost.start({ path: paths.c, ip: '10.0.0.3' })
    await using x = await TestHost.start({ path: paths.x, ip: '10.0.0.1' })
    await using y = await TestHost.start({ path: paths.y, ip: '10.0.0.2' })
    for (const port of ports) await port.ready({ timeoutMs: 60_000 })
    await Promise.all([a, b, c, x, y].map((host) => host.linkUp()))

    const [ping, other] = await Promise.all([
      a.ping('10.0.0.2', { count: 5 }),
      x.ping('10.0.0.2', { count: 5 }),
    ])
    assert.deepEqual([ping.received, other.received], [5, 5])
    const names = new Map(ports.map(({ id, name }) => [id, name]))
    const known = (image: typeof one) =>
      macEntries(image.memory, names, 300)
        .map(({ port, vlan, age }) => `${port} ${vlan} ${age <= 5}`)
        .sort()
    assert.deepEqual(known(one).slice(0, 2), ['a 5 true', 'b 5 true'])
    assert.deepEqual(known(two), ['x 0 true', 'y 0 true'])
    assert.deepEqual([bridgeCounters(one.memory).moves, bridgeCounters(one.memory).flaps], [0, 0])

    // Both ways at once, each lcore learning what the other sends to.
    const sendings = [
      await a.startSending({ to: b, rate: 2000, flows: 5 }),
      await b.startSending({ to: a, rate: 2000, flows: 5 }),
      await x.startSending({ to: y, rate: 2000, flows: 5 }),
    ]
    const receivers = [b, a, y]
    // Now bridge `two` gets a program that throws, while bridge `one` forwards on the same lcores.
    const program = { url: userProgram('throws'), data: undefined }
    const arrived = () =>
      Promise.all(sendings.map(async (one, i) => (await receivers[i]!.receivedOf(one)).frames))
    await until('all flow', async () => (await arrived()).every((frames) => frames > 50))
    await tell({ type: 'bridge', image: { ...two, program } })
    const bridges = async () => {
      const [status] = (await tell({ type: 'status' })) as {
        bridges: Record<string, { aside: boolean; errors: number }>
      }[]
      return status?.bridges
    }
    await until('it is put aside', async () => (await bridges())?.two?.aside === true)
    const at = (await sendings[2]!.progress()).frames
    await until('more are sent', async () => (await sendings[2]!.progress()).frames > at + 50)
    assert.deepEqual(await bridges(), {
      one: { aside: false, errors: 0 },
      two: { aside: true, errors: 5 },
    })
    const deliveries = []
    for (const [i, sending] of sendings.entries())
      deliveries.push(await receivers[i]!.delivery(await sending.stop()))
    for (const delivery of deliveries.slice(0, 2)) {
      const { reordered, duplicated, corrupted, tagged } = delivery
      assert.ok(delivery.frames > 50)
      assert.deepEqual(
        { reordered, duplicated, corrupted, tagged },
        { reordered: 0, duplicated: 0, corrupted: 0, tagged: 0 },
      )
    }
    assert.ok((deliveries[2]?.lost as number) > 50)
    assert.deepEqual(bridgeCounters(one.memory).cutFloods, 0)

    // `c` is of another VLAN than `a` and `b`: it heard nothing but itself.
    assert.equal((await c.ping('10.0.0.1', { count: 1, timeoutMs: 300 })).received, 0)
    await tell({ type: 'bridge', image: two })
    assert.equal((await x.ping('10.0.0.2', { count: 3 })).received, 3)
    await tell({ type: 'bridge', image: { ...one, ports: { ...one.ports, c: access } } })
    assert.equal((await c.ping('10.0.0.1', { count: 3 })).received, 3)
  })
})
