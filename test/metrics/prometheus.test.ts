/** A real Prometheus scrapes a real switch, and understands what the dashboard asks. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { TestHost } from '../../src/testkit/index.js'
import { readExposition } from '../support/exposition.js'
import { eventually, findPrometheus, noPrometheus, Prometheus } from '../support/prometheus.js'
import { RunningSwitch } from '../switch/cli/vswitch.js'

const LIMIT = { timeout: 240_000, skip: noPrometheus }
const FILE = fileURLToPath(new URL('../../../dashboards/vswitch.json', import.meta.url))

interface Panel {
  readonly title: string
  readonly gridPos: { x: number; y: number; w: number; h: number }
  readonly id: number
  readonly type: string
  readonly targets?: readonly { readonly expr: string; readonly instant?: boolean }[]
  readonly fieldConfig?: { readonly defaults: { readonly thresholds?: unknown } }
}

interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { name: string; definition?: string }[] }
}

const dashboard = JSON.parse(readFileSync(FILE, 'utf8')) as Dashboard

/** Expressions with Grafana's variables as it would put them in; the times are longer than the test. */
const EXPRESSIONS = dashboard.panels
  .flatMap(({ targets = [] }) => targets)
  .map(({ expr }) =>
    expr.replace(/\$(instance|bridge|port)/g, '.*').replace(/\$__(rate_interval|range)/g, '5m'),
  )

/** Panels of what is hardly ever there. */
const mayBeEmpty = (expression: string) => /> 0$|@ end\(\)\).* 0\)$/.test(expression)

/** Names of metrics in an expression. */
function namesIn(expression: string): string[] {
  return [...expression.matchAll(/\b(?:dpdk_vhost|vswitch|nodejs|process)_\w+/g)].map(
    ([name]) => name,
  )
}

test('the panels of the dashboard lie side by side', () => {
  const { panels } = dashboard
  assert.ok(panels.length > 20)
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const cells = new Map<string, string>()
  for (const { title, gridPos } of panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.equal(cells.get(`${x},${y}`), undefined, `${title} lies on another panel`)
        cells.set(`${x},${y}`, title)
      }
    }
  }
  for (const [name = ''] of JSON.stringify(dashboard).matchAll(/\$(?!__)\w+/g)) {
    const known = dashboard.templating.list.map((variable) => `$${variable.name}`)
    assert.ok(known.includes(name), `${name} is no variable`)
  }
})

test('single values are what is now, in colours of their own', () => {
  const stats = dashboard.panels.filter(({ type }) => type === 'stat')
  assert.ok(stats.length > 5)
  for (const { title, targets = [], fieldConfig } of stats) {
    // Grafana's own thresholds are red above 80; over a range, the last value of a switch that is gone stays.
    if (title !== 'Ready') assert.ok(fieldConfig?.defaults.thresholds, title)
    for (const { instant } of targets) assert.equal(instant, true, title)
  }
})

describe('Prometheus', () => {
  test('scrapes a switch; what the dashboard asks has answers', LIMIT, async () => {
    const flows = ['cookie=0x10,priority=1,actions=normal']
    await using running = await RunningSwitch.start({})
    const config = {
      bridges: [{ name: 'br0', flows }],
      ports: ['a', 'b'].map((name) => running.port(name, { bridge: 'br0', vringStats: true })),
      metrics: { listen: '127.0.0.1:0' },
    }
    running.write(config)
    assert.equal((await running.ask(['reload'])).code, 0)
    await running.logged('metrics at http://')
    const address = /metrics at http:\/\/([\d.:]+)\/metrics/.exec(running.log)?.[1] ?? ''
    await using a = await TestHost.start({ name: 'a', path: running.path('a.sock') })
    let b = await TestHost.start({ name: 'b', path: running.path('b.sock') })
    try {
      await a.linkUp()
      await b.linkUp()
      await using prometheus = await Prometheus.start(address)
      const received = 'dpdk_vhost_port_receive_frames_total{port="a"}'
      const sends = async (frames: number) => {
        let before = Number.NaN
        // There is none while a scrape took too long.
        await eventually('there is a number', async () => {
          before = await prometheus.value(received)
          return !Number.isNaN(before)
        })
        await a.send({ to: b, frames, size: 200, rate: 2000 })
        await eventually('Prometheus knows of them', async () => {
          return (await prometheus.value(received)) >= before + frames
        })
      }
      await sends(500)
      await b.close()
      b = await TestHost.start({ name: 'b', path: running.path('b.sock') })
      await b.linkUp()
      await sends(500)
      const connections = 'dpdk_vhost_port_connections_total{port="b"}'
      await eventually('the reconnect is known', async () => {
        return (await prometheus.value(connections)) === 2
      })
      await eventually('there is a rate', async () => {
        return (await prometheus.value(`rate(${received}[1m])`)) > 0
      })

      const scrape = readExposition(await (await fetch(`http://${address}/metrics`)).text())
      const declared = new Set(
        [...scrape.types].flatMap(([name, type]) =>
          type === 'histogram'
            ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`)
            : [name],
        ),
      )
      const counters = [...scrape.types].filter(([, type]) => type === 'counter')
      for (const [name] of counters) {
        assert.deepEqual(await prometheus.query(`resets(${name}[5m]) > 0`), [], 'it went back')
      }
      assert.ok(EXPRESSIONS.length > 25)
      for (const expression of EXPRESSIONS) {
        for (const name of namesIn(expression))
          assert.ok(declared.has(name), `${name} is no metric`)
        let found: Awaited<ReturnType<typeof prometheus.query>> = []
        await eventually(`an answer to ${expression}`, async () => {
          found = await prometheus.query(expression)
          return found.length > 0 || mayBeEmpty(expression)
        })
        const values = found.map(({ value: [, text] }) => text)
        assert.ok(!values.includes('NaN'), `no number for ${expression}`)
      }
      for (const { definition = '' } of dashboard.templating.list) {
        for (const name of namesIn(definition))
          assert.ok(declared.has(name), `${name} is no metric`)
      }
    } finally {
      await b.close()
    }
  })

  test('promtool finds nothing to say of a scrape of a whole switch', LIMIT, async () => {
    await using running = await RunningSwitch.start({})
    const config = { ports: [running.port('a', { tag: 7 })], bridges: [{ name: 'br0' }] }
    running.write({ ...config, metrics: { listen: '127.0.0.1:0' } })
    await running.ask(['reload'])
    await running.logged('metrics at http://')
    const address = /metrics at http:\/\/([\d.:]+)\/metrics/.exec(running.log)?.[1] ?? ''
    const input = await (await fetch(`http://${address}/metrics`)).text()
    const { status, stdout, stderr } = spawnSync(
      findPrometheus('promtool') as string,
      ['check', 'metrics'],
      { input, encoding: 'utf8', timeout: 60_000 },
    )
    assert.deepEqual([status, stdout + stderr], [0, ''])
  })
})
