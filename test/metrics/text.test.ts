/** Prometheus' text format, letter by letter. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { type MetricDefinition, MetricSet } from '../../src/metrics/index.js'

const DEFINITIONS: readonly MetricDefinition<number>[] = [
  {
    type: 'counter',
    name: 'a_total',
    help: 'Back\\slash\nand line',
    labels: ['match', 'queue'],
    collect: (value, add) => add(value, 'a="b"\\\n', 0),
  },
  { type: 'gauge', name: 'b', help: 'None', labels: [], collect: (value, add) => add(-value) },
  {
    type: 'histogram',
    name: 'c_bytes',
    help: 'Sizes',
    labels: ['port'],
    collect: (value, add) => add({ bounds: [1, 2], counts: [3, 0, 1], sum: value }, 'p'),
  },
]

const TEXT = `# HELP a_total Back\\\\slash\\nand line
# TYPE a_total counter
a_total{match="a=\\"b\\"\\\\\\n",queue="0"} 7.5
# HELP b None
# TYPE b gauge
b -7.5
# HELP c_bytes Sizes
# TYPE c_bytes histogram
c_bytes_bucket{port="p",le="1"} 3
c_bytes_bucket{port="p",le="2"} 3
c_bytes_bucket{port="p",le="+Inf"} 4
c_bytes_sum{port="p"} 7.5
c_bytes_count{port="p"} 4
`

test('labels and help are escaped, buckets hold those before them', async () => {
  assert.equal(await new MetricSet(DEFINITIONS, async () => 7.5).text(), TEXT)
})

test('prom-client writes the same, of one snapshot a scrape', async () => {
  let taken = 0
  const set = new MetricSet(DEFINITIONS, async () => {
    taken++
    return 7.5
  })
  const registry = new Registry()
  set.register(registry)
  const blank = /^\n/gm
  assert.equal((await registry.metrics()).replace(blank, ''), TEXT)
  assert.equal(taken, 1)
  await registry.metrics()
  assert.equal(taken, 2)
})

test('series that change, go and come are written as if for the first time', async () => {
  const definition: MetricDefinition<readonly [string, number][]> = {
    type: 'counter',
    name: 'a_total',
    help: 'None',
    labels: ['port'],
    collect: (ports, add) => {
      for (const [port, value] of ports) add(value, port)
    },
  }
  let ports: [string, number][] = []
  const set = new MetricSet([definition], async () => ports)
  for (ports of [
    [],
    [
      ['a', 1],
      ['b', 2],
    ],
    [
      ['a', 1],
      ['b', 3],
    ],
    [['b', 3]],
    [
      ['b', Number.NaN],
      ['a', 3],
      ['c', 0],
    ],
    [
      ['b', Number.NaN],
      ['a', -1],
      ['c', 0],
    ],
  ] as [string, number][][]) {
    assert.equal(await set.text(), await new MetricSet([definition], async () => ports).text())
    assert.equal((await set.text()).match(/^a_total/gm)?.length ?? 0, ports.length)
  }
})
