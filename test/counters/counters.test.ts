/** Each counter comes from its place in the addon's block. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLcoreCounters, readPortCounters } from '../../src/counters/counters.js'
import { binding } from '../../src/native/binding.js'

const { layout } = binding
const block = new Float64Array(binding.counters())
/** What `names` are at `at`, where the block counts up from 0. */
const numbered = (names: readonly string[], at: number) =>
  Object.fromEntries(names.map((name, i) => [name, at + i]))

test('all counters of a port have their names, by queue and in sum', () => {
  const id = layout.maxPorts - 1
  const at = id * layout.portStride
  const zero = readPortCounters(id)
  assert.deepEqual([zero.rxQueues, zero.txQueues, zero.rx.frames, zero.tx.calls], [[], [], 0, 0])
  const [rx, tx] = [at + 2 * layout.rxStride, at + layout.tx + layout.txStride]
  const used = [
    [at, layout.rxNames],
    [rx, layout.rxNames],
    [tx, layout.txNames],
    [at + layout.shaper, ['frames', 'bytes']],
    [at + layout.peer, layout.peerNames],
  ] as const
  for (const [from, { length }] of used) for (let i = from; i < from + length; i++) block[i] = i
  const none = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 0]))
  const rxSums = layout.rxNames.map((name, i) => [name, at + rx + 2 * i])
  assert.deepEqual(readPortCounters(id), {
    rx: Object.fromEntries(rxSums),
    tx: numbered(layout.txNames, tx),
    rxQueues: [numbered(layout.rxNames, at), none(layout.rxNames), numbered(layout.rxNames, rx)],
    txQueues: [none(layout.txNames), numbered(layout.txNames, tx)],
    peer: numbered(layout.peerNames, at + layout.peer),
    shaperQueue: { frames: at + layout.shaper, bytes: at + layout.shaper + 1 },
  })
})

test('those of an lcore too', () => {
  const index = layout.maxLcores - 1
  const at = layout.lcores + index * layout.lcoreStride
  for (let i = at; i < at + layout.lcoreStride && i < block.length; i++) block[i] = i
  const { made, burstSizes, ...own } = readLcoreCounters(index)
  assert.deepEqual(own, numbered(layout.lcoreNames, at))
  assert.deepEqual(made, numbered(layout.rxNames, at + layout.made))
  assert.equal(burstSizes.length, layout.histogramBuckets)
  assert.equal(burstSizes[1], at + layout.burstSizes + 1)
})
