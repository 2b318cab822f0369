/** What an embedder gets: metrics of a datapath of his own. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { Counter, Registry } from 'prom-client'
import { Datapath, type Port } from '../../src/index.js'
import { DATAPATH_METRICS, DatapathMetrics } from '../../src/metrics/index.js'
import { TestHost } from '../../src/testkit/index.js'
import { countersOf, readExposition } from '../support/exposition.js'
import { socketFolder, until } from '../support/loopback.js'
import { findPrometheus, noPrometheus } from '../support/prometheus.js'

const LIMIT = { timeout: 120_000 }
const CROSS = new URL('../../src/programs/cross-connect.js', import.meta.url)

describe('metrics of a datapath', () => {
  const folder = socketFolder()
  const hosts: TestHost[] = []
  let datapath: Datapath
  let metrics: DatapathMetrics
  let port: Port

  before(async () => {
    datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
    metrics = new DatapathMetrics(datapath)
    for (const name of ['a', 'b']) await add(name, name === 'a')
    port = datapath.ports.get('a') as Port
    await launch()
  }, LIMIT)

  after(async () => {
    await datapath.close()
    for (const host of hosts) await host.close()
    folder[Symbol.dispose]()
  })

  async function add(name: string, vringStats: boolean): Promise<void> {
    const path = `${folder.path}/${name}.sock`
    await datapath.addPort({ name, type: 'dpdkvhostuserclient', path, vringStats })
    hosts.push(await connect(name))
  }

  async function connect(name: string): Promise<TestHost> {
    const host = await TestHost.start({ name, path: `${folder.path}/${name}.sock` })
    await host.linkUp()
    await datapath.ports.get(name)?.ready({ timeoutMs: 60_000 })
    return host
  }

  const launch = () => datapath.launch(CROSS, { name: 'worker', data: { pairs: [['a', 'b']] } })
  const scrape = async () => readExposition(await metrics.text())

  async function exchange(frames: number, size = 100): Promise<void> {
    const [a, b] = hosts as [TestHost, TestHost]
    const sent = () => datapath.ports.get('b')?.counters().tx.frames ?? 0
    const before = sent()
    await b.delivery(await a.send({ to: b, frames, size, rate: 5000 }))
    // The guest may see a frame before it is counted.
    await until('they are counted', () => sent() >= before + frames)
  }

  test('count what was received, sent and polled', LIMIT, async () => {
    await exchange(40)
    const { values } = await scrape()
    const of = (series: string) => values.get(`dpdk_vhost_${series}`) ?? -1
    assert.equal(of('port_receive_frames_total{port="a",queue="0"}'), 40)
    assert.equal(of('port_receive_bytes_total{port="a",queue="0"}'), 4000)
    assert.equal(of('port_transmit_frames_total{port="b",queue="0"}'), 40)
    assert.equal(of('port_state{port="a",state="ready"}'), 1)
    assert.equal(of('port_state{port="a",state="stopped"}'), 0)
    assert.equal(of('port_connections_total{port="a"}'), 1)
    assert.equal(of('rx_queue_info{port="a",queue="0",lcore="worker"}'), 1)
    assert.ok(Math.abs(of('port_state_timestamp_seconds{port="a"}') - Date.now() / 1000) < 60)
    // The host may have asked for its neighbour first, as hosts do.
    const frames = of('lcore_receive_frames_total{lcore="worker"}')
    assert.ok(frames >= 40, `${frames}`)
    assert.equal(of('lcore_burst_size_frames_sum{lcore="worker"}'), frames)
    const bursts = of('lcore_burst_size_frames_count{lcore="worker"}')
    assert.ok(bursts > 0 && bursts <= frames, `${bursts} bursts of ${frames} frames`)
    assert.equal(of('lcore_burst_size_frames_bucket{lcore="worker",le="+Inf"}'), bursts)
    const used = of('memory_used_frames')
    assert.ok(used >= 0 && used < of('memory_frames'), `${used} frames in use`)
  })

  test("librte's own, where they are asked for", LIMIT, async () => {
    const before = (await scrape()).values
    await exchange(10, 64)
    await exchange(5, 600)
    const { values } = await scrape()
    const more = (series: string) => (values.get(series) ?? NaN) - (before.get(series) ?? 0)
    const sizes = (rest: string) => `dpdk_vhost_vring_frame_size_bytes${rest}`
    const receive = 'port="a",queue="0",direction="receive"'
    assert.equal(more(sizes(`_count{${receive}}`)), 15)
    assert.equal(more(sizes(`_sum{${receive}}`)), 640 + 3000)
    assert.equal(more(sizes(`_bucket{${receive},le="64"}`)), 10)
    assert.equal(more(sizes(`_bucket{${receive},le="511"}`)), 10)
    assert.equal(more(sizes(`_bucket{${receive},le="1023"}`)), 15)
    assert.ok(![...values.keys()].some((series) => /vring.*port="b"/.test(series)))
    const own = (await datapath.vringStats()).get('a')
    assert.ok(own?.some(({ counters }) => counters.has('good_packets')))
  })

  test('never go back when guests and lcores come and go', LIMIT, async () => {
    await exchange(20)
    const before = await scrape()
    await hosts[0]?.close()
    await until('the guest is gone', () => port.status.state !== 'ready')
    assertGrown(before, await scrape())
    hosts[0] = await connect('a')
    const reconnected = await scrape()
    assertGrown(before, reconnected)
    const connections = 'dpdk_vhost_port_connections_total{port="a"}'
    assert.equal(reconnected.values.get(connections), 2)

    const [lcore] = datapath.lcores
    await lcore?.stop()
    assert.ok(![...(await scrape()).values.keys()].some((series) => series.includes('worker')))
    await launch()
    const restarted = await scrape()
    assertGrown(before, restarted)
    assert.equal(restarted.values.get('dpdk_vhost_lcore_starts_total{lcore="worker"}'), 2)
    await exchange(20)
    const sizes = 'dpdk_vhost_vring_frame_size_bytes_count{port="a",queue="0",direction="receive"}'
    const last = await scrape()
    assert.ok((last.values.get(sizes) ?? 0) >= (before.values.get(sizes) ?? 0) + 20)
    for (const name of ['receive_frames', 'busy_cycles']) {
      const series = `dpdk_vhost_lcore_${name}_total{lcore="worker"}`
      assert.ok((last.values.get(series) ?? 0) > (before.values.get(series) ?? 0), series)
    }
  })

  test(
    'stand beside others in a registry of prom-client, and say the same there',
    LIMIT,
    async () => {
      const registry = new Registry()
      const own = new Counter({ name: 'own_total', help: 'Mine', registers: [registry] })
      own.inc(3)
      metrics.register(registry)
      const there = readExposition(await registry.metrics())
      const here = await scrape()
      assert.equal(there.values.get('own_total'), 3)
      assert.deepEqual(
        [...there.values.keys()].filter((series) => series !== 'own_total'),
        [...here.values.keys()],
      )
      for (const [name, type] of here.types) assert.equal(there.types.get(name), type)
      for (const [name, help] of here.helps) assert.equal(there.helps.get(name), help)
      assert.throws(() => metrics.register(registry), /already been registered/)
    },
  )

  test('have names that Prometheus likes', LIMIT, async (t) => {
    for (const { type, name, help } of DATAPATH_METRICS) {
      assert.match(name, /^dpdk_vhost_[a-z_]+$/)
      assert.equal(type === 'counter', name.endsWith('_total'), name)
      assert.ok(help.length > 0)
    }
    if (!findPrometheus('promtool')) return t.skip(noPrometheus || '')
    const input = await metrics.text()
    const { status, stdout, stderr } = spawnSync(
      findPrometheus('promtool') as string,
      ['check', 'metrics'],
      {
        input,
        encoding: 'utf8',
        timeout: 60_000,
      },
    )
    assert.deepEqual([status, stdout + stderr], [0, ''])
  })

  function assertGrown(
    one: ReturnType<typeof readExposition>,
    other: ReturnType<typeof readExposition>,
  ): void {
    for (const [series, value] of countersOf(one)) {
      const now = other.values.get(series)
      assert.ok(now !== undefined && now >= value, `${series}: ${value}, then ${now}`)
    }
  }
})
