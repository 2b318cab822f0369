/** What sections of what a switch costs have to give. Never how much that is. */
import assert from 'node:assert/strict'
import type { FootprintResult } from '../../../bench/footprint/section.js'
import type { MicroResult } from '../../../bench/micro/section.js'
import type { scaleSection } from '../../../bench/scale/section.js'
import type { Section } from '../../../bench/section.js'
import type { StartResult } from '../../../bench/start/section.js'
import type { Looked } from '../section-check.js'

type ScaleResult = typeof scaleSection extends Section<infer Result> ? Result : never

/** All names of `wanted` are there. */
function assertNames(contenders: readonly { readonly name: string }[], wanted: string[]): void {
  const names = contenders.map(({ name }) => name)
  assert.deepEqual(
    wanted.filter((name) => !names.includes(name)),
    [],
  )
}

/** One start of each. */
export function lookAtStart({ result }: Looked): void {
  const { contenders, openings } = result as StartResult
  assertNames(contenders, ['embedding', 'embedding-worker', 'vswitch', 'testpmd'])
  for (const { name, samples } of contenders) {
    assert.equal(samples.length, 1)
    const [{ readyMs, firstFrameMs, phases }] = samples as [(typeof samples)[0]]
    assert.ok(readyMs > 0 && firstFrameMs > 0, name)
    assert.equal(phases !== undefined, /^(embedding|vswitch)/.test(name), name)
    if (phases === undefined) continue
    const { node, imports, eal, ports, firstFrame, addon, lcoreAt, polledAt } = phases
    // The parts are all there is.
    assert.ok(Math.abs(node + imports + eal + ports + firstFrame - firstFrameMs) < 0.01)
    assert.ok(addon > 0 && addon < imports)
    assert.ok(lcoreAt < polledAt && polledAt < firstFrameMs)
  }
  const [{ first, second }] = openings as [(typeof openings)[0]]
  assert.ok(second > 0 && second < first)
}

/** One look at each. */
export function lookAtFootprint({ result }: Looked): void {
  const { contenders } = result as FootprintResult
  assertNames(contenders, ['embedding-spin', 'vswitch-adaptive', 'testpmd'])
  for (const { name, samples } of contenders) {
    const [{ memory, heaps, idle, loads }] = samples as [(typeof samples)[0]]
    assert.ok(memory.rss > 0 && memory.pss > 0 && memory.pss <= memory.rss, name)
    assert.deepEqual(
      heaps.map(({ thread, used }) => [thread, used > 0]),
      /^(embedding|vswitch)/.test(name)
        ? [
            [0, true],
            [1, true],
          ]
        : [],
      name,
    )
    assert.ok(idle.all >= idle.busiest, name)
    for (const { mpps, cpu } of loads) assert.ok(mpps > 0 && cpu.all > 0, name)
  }
}

/** All parts. */
export function lookAtScale({ result }: Looked): void {
  const { macs, rules, lcores, updates, ports } = result as ScaleResult
  assert.deepEqual(
    macs?.fits.map(({ addresses }) => addresses),
    [16, 256],
  )
  assert.equal(macs?.overflows.length, 1)
  assert.deepEqual(
    rules?.rows.map((row) => `${row.form} ${row.rules}`),
    ['exact 10', 'exact 100', 'prefix 10', 'prefix 100'],
  )
  for (const { program, rounds } of lcores?.programs ?? []) {
    for (const { mpps } of rounds.flat()) assert.ok(mpps > 0, program)
  }

  assert.ok(lcores !== undefined && updates !== undefined && ports !== undefined)
  const [run] = updates.runs
  assert.ok(run !== undefined && run.pairs.length > 0)
  for (const pair of run.pairs) {
    assert.equal(pair.without.updates, 0)
    assert.ok(pair.with.updates > 0 && pair.with.frames > 0 && pair.without.frames > 0)
  }
  assert.ok(run.replace.updates > 0)
  assert.deepEqual(
    ports.runs.map((run) => `${run.ports} ${run.idle}`),
    ['2 none', '8 stopped'],
  )
  for (const { samples, name } of ports.runs) assert.ok((samples[0]?.mpps ?? 0) > 0, name)
  assert.deepEqual(
    ports.turns.map((taken) => [taken.ports, taken.turns.length > 0]),
    [
      [4, true],
      [8, true],
    ],
  )
  for (const { all, pair } of ports.turns.flatMap(({ turns }) => turns)) {
    assert.ok(all.framesPerSecond > 0 && pair.framesPerSecond > 0)
  }
  // Stopped processes take nothing.
  assert.equal(ports.runs.at(-1)?.guestCpus.at(-1), 0)
  assert.deepEqual(
    ports.starts.map((start) => start.ports),
    [2, 8],
  )
}

/** Each operation, for a moment. */
export function lookAtMicro({ result }: Looked): void {
  const { timings } = result as MicroResult
  for (const word of [
    'one Node-API call',
    'empty queue',
    'counters of a port',
    'Headers.parse',
    'MacTable.find',
    '10,000 exact 5-tuples',
  ]) {
    assert.ok(
      timings.some(({ name }) => name.includes(word)),
      word,
    )
  }
}
