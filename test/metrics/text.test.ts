/** Prometheus' text format, letter by letter. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { type MetricDefinition, MetricSet, MOST_LABELS } from '../../src/metrics/index.js'

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

test('what was scraped stays, values are written over where they stand, also behind letters of several bytes', async () => {
  const definition: MetricDefinition<number> = {
    type: 'gauge',
    name: 'a',
    help: 'Größe',
    labels: ['port'],
    collect: (value, add) => {
      add(1, 'süd')
      add(value, 'nörd-€')
      add(2, 'west')
    },
  }
  let value = 10
  const set = new MetricSet([definition], async () => value)
  const text = (middle: number) =>
    `# HELP a Größe\n# TYPE a gauge\na{port="süd"} 1\na{port="nörd-€"} ${middle}\na{port="west"} 2\n`
  const first = await set.bytes()
  for (value of [11, 99, 100, 7, -3, 0.5, 1e21]) assert.equal(await set.text(), text(value))
  assert.equal(first.toString(), text(10))
})

test('a metric with more labels than there is room for is refused by its name; with as many, each counts', async () => {
  const names = Array.from({ length: MOST_LABELS + 1 }, (_, i) => `l${i}`)
  let values: string[] = []
  const setOf = (labels: string[]) =>
    new MetricSet(
      [
        {
          type: 'gauge',
          name: 'many',
          help: 'None',
          labels,
          collect: (_, add) => add(1, ...values),
        },
      ],
      async () => 1,
    )
  assert.throws(() => setOf(names), /^RangeError: many has 7 labels; at most 6 are possible$/)
  const labels = names.slice(1)
  const set = setOf(labels)
  values = labels.map(() => 'a')
  for (let i = 0; i < MOST_LABELS; i++) {
    values = values.with(i, 'b')
    const pairs = labels.map((label, at) => `${label}="${values[at]}"`)
    assert.ok((await set.text()).endsWith(`\nmany{${pairs.join(',')}} 1\n`), `label ${i}`)
    values = values.with(i, 'a')
    await set.text()
  }
})
