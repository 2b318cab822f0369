import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import {
  BUSY,
  GIVEN,
  HELD_BACK,
  HELD_NOW,
  keyOf,
  MacTable,
  macOf,
  NEW,
} from '../../src/programs/mac-table.js'
import { KEYS } from '../../src/programs/mac-table-layout.js'
import { initMacTable, macTableBytes } from '../../src/programs/mac-table-memory.js'
import { Random, seeds } from '../headers/random.js'
import { portsOf, VLANS } from './mac-table-stations.js'

function tableFor(limit: number): MacTable {
  const buffer = new ArrayBuffer(macTableBytes(limit))
  initMacTable(buffer, limit)
  return new MacTable(buffer)
}

/** The halves of an address as the table takes them. */
function halves(mac: number): [number, number] {
  const view = new DataView(new ArrayBuffer(6))
  view.setUint16(0, mac / 2 ** 32)
  view.setUint32(2, mac)
  return [view.getInt32(0, true), view.getUint16(4, true)]
}

function inVlan(mac: number, vlan: number): [number, number] {
  const [low, high] = halves(mac)
  return [low, keyOf(high, vlan)]
}

/** Holds everything the table says about itself together. */
function checkWhole(table: MacTable, now = 0): void {
  const entries = table.entries(now)
  assert.equal(entries.length, table.size)
  assert.equal(new Set(entries.map(({ mac, vlan }) => `${mac} ${vlan}`)).size, entries.length)
  const counts = new Map<number, number>()
  for (const { mac, vlan, port, static: given } of entries) {
    assert.equal(table.portOf(...inVlan(mac, vlan)), port)
    if (!given) counts.set(port, (counts.get(port) ?? 0) + 1)
  }
  for (let port = 0; port < 1024; port++) assert.equal(table.countOf(port), counts.get(port) ?? 0)
}

test('addresses are put together again', () => {
  for (const mac of [0x0123456789ab, 0xffffffffffff, 0, 0x800000000001, 0x0000ff00ff00]) {
    assert.equal(macOf(...halves(mac)), mac)
  }
})

describe('addresses in any order find room', () => {
  const orders: Record<string, (i: number) => number> = {
    'counted up': (i) => 0x020000000000 + i,
    'counted up by 256': (i) => 0x020000000000 + i * 256,
    'counted up by 65536': (i) => 0x020000000000 + i * 65536,
    'counted up in both halves': (i) => 0x020000000000 + i * 0x10001,
    'different in the upper bits': (i) => (i % 64) * 2 ** 41 + Math.floor(i / 64) * 2 ** 32,
    'powers of two apart': (i) => 0x020000000000 + 2 ** (i % 40) * (1 + Math.floor(i / 40)),
    'the same in each half': (i) => (i * 7 + 2) * 2 ** 24 + (i * 7 + 2),
  }
  for (const [name, order] of Object.entries(orders)) {
    test(name, () => {
      // With several keys, because an order might be bad for one in many.
      for (let round = 0; round < 20; round++) {
        const table = tableFor(8192)
        const macs = new Set(Array.from({ length: 8192 }, (_, i) => order(i)))
        for (const mac of macs) table.learn(...halves(mac), 1, 0)
        assert.equal(table.size, macs.size)
        assert.equal(table.evictions, 0)
      }
    })
  }
})

test('multipliers that undo each other do no harm to addresses counted up', () => {
  const buffer = new ArrayBuffer(macTableBytes(8192))
  initMacTable(buffer, 8192)
  const words = new Int32Array(buffer)
  // A product of the two of 2 ** 24 + 1 would take addresses that differ in octet 5 to neighbouring places.
  const key = words[KEYS + 1] as number
  let inverse = key
  for (let i = 0; i < 5; i++) inverse = Math.imul(inverse, 2 - Math.imul(key, inverse))
  words[KEYS + 2] = Math.imul(inverse, 2 ** 24 + 1)
  const table = new MacTable(buffer)
  for (let i = 0; i < 8192; i++) table.learn(...halves(0x020000000000 + i), 1, 0)
  assert.equal(table.size, 8192)
})

test('a chain that someone managed to make long is cut, and all else stays whole', () => {
  const buffer = new ArrayBuffer(macTableBytes(1000))
  initMacTable(buffer, 1000)
  // With every multiplier 0, all addresses meet in one chain.
  new Int32Array(buffer).fill(0, KEYS, KEYS + 3)
  const table = new MacTable(buffer)
  for (let i = 0; i < 100; i++) assert.equal(table.learn(i, 0, i % 3, 0), NEW)
  assert.equal(table.size, 16)
  assert.equal(table.evictions, 84)
  checkWhole(table)
  for (let i = 84; i < 100; i++) assert.notEqual(table.find(i, 0), 0)
})

describe('whatever is done, the table is that of the plain implementation', () => {
  for (const seed of seeds()) {
    test(`seed ${seed}`, () => {
      const random = new Random(seed)
      const table = tableFor(64)
      const model = new Map<number, { port: number; stamp: number }>()
      let now = 0
      for (let step = 0; step < 20_000; step++) {
        const mac = 0x020000000000 + random.below(60) * 0x1001
        const port = random.below(5)
        switch (random.below(40)) {
          case 0:
            table.removePort(port, now)
            for (const [key, value] of model) if (value.port === port) model.delete(key)
            break
          case 1:
            now += random.below(4)
            while (!table.sweep(now, 10)) checkWhole(table, now)
            for (const [key, { stamp }] of model) if (now - stamp > 10) model.delete(key)
            break
          case 2:
            if (random.below(20) !== 0) break
            table.flush(now)
            model.clear()
            break
          default: {
            const before = model.get(mac)?.port ?? NEW
            assert.equal(table.learn(...halves(mac), port, now), before)
            model.set(mac, { port, stamp: now })
          }
        }
        assert.equal(table.portOf(...halves(mac)), model.get(mac)?.port ?? -1)
        assert.equal(table.find(...halves(mac)) === 0, !model.has(mac))
        assert.equal(table.size, model.size)
        if (step % 500 === 0) checkWhole(table, now)
      }
      checkWhole(table, now)
    })

    test(`and stays whole while it overflows, seed ${seed}`, () => {
      const random = new Random(seed)
      const table = tableFor(100)
      for (let step = 0; step < 50_000; step++) {
        table.learn(
          ...halves(random.below(1000) * 0x10001),
          random.below(random.pick([2, 20])),
          step >> 8,
        )
        if (step % 997 === 0) {
          table.removePort(random.below(20), 0)
          checkWhole(table)
        }
        assert.ok(table.size <= 100)
      }
      checkWhole(table)
    })
  }
})

describe('VLANs', () => {
  test('have addresses of their own', () => {
    const table = tableFor(64)
    for (const vlan of [0, 1, 4095]) assert.equal(table.learn(1, keyOf(2, vlan), vlan & 7, 0), NEW)
    assert.deepEqual(
      [0, 1, 4095, 2].map((vlan) => table.portOf(1, keyOf(2, vlan))),
      [0, 1, 7, -1],
    )
    assert.equal(table.learn(1, keyOf(2, 1), 3, 0), 1)
    assert.deepEqual([table.portOf(1, 2), table.portOf(1, keyOf(2, 1))], [0, 3])
    assert.deepEqual(
      table
        .entries(0)
        .map(({ vlan, port }) => [vlan, port])
        .sort((a, b) => (a[0] as number) - (b[0] as number)),
      [
        [0, 0],
        [1, 3],
        [4095, 7],
      ],
    )
  })

  test('one address in all of them finds room', () => {
    const table = tableFor(8192)
    for (let vlan = 0; vlan < 4096; vlan++) {
      table.learn(...inVlan(0x020000000001, vlan), 1, 0)
      table.learn(...inVlan(0x020000000002, vlan), 1, 0)
    }
    assert.deepEqual([table.size, table.evictions], [8192, 0])
  })
})

describe('static entries', () => {
  test('are not moved, aged, evicted, flushed or removed with a port', () => {
    const table = tableFor(16)
    assert.ok(table.setStatic(1, keyOf(0, 5), 3, 0))
    assert.equal(table.learn(1, keyOf(0, 5), 4, 0), GIVEN)
    assert.ok(table.isFresh(table.find(1, keyOf(0, 5)), 4, 100))
    for (let i = 100; i < 1000; i++) table.learn(i, keyOf(0, 5), i % 4, 0)
    while (!table.sweep(10_000, 1));
    assert.deepEqual([table.size, table.statics], [1, 1])
    table.removePort(3, 0)
    table.learn(7, 7, 1, 0)
    assert.equal(table.flush(0), 1)
    assert.equal(table.portOf(1, keyOf(0, 5)), 3)
    assert.deepEqual(table.entries(10_000), [
      { mac: macOf(1, 0), vlan: 5, port: 3, age: 0, static: true },
    ])
  })

  test('are no part of the share of their port', () => {
    const table = tableFor(16)
    for (let i = 0; i < 8; i++) table.setStatic(1000 + i, 0, 1, 0)
    assert.equal(table.countOf(1), 0)
    for (let i = 0; i < 100; i++) table.learn(i, 0, 2, 0)
    // Eight are left for two ports: four each.
    for (let i = 100; i < 104; i++) table.learn(i, 0, 1, 0)
    assert.deepEqual([table.countOf(1), table.countOf(2), table.size], [4, 4, 16])
    table.learn(200, 0, 1, 0)
    assert.deepEqual([table.countOf(1), table.countOf(2), table.size], [4, 4, 16])
  })

  test('take over what was learnt, may be moved by whoever gave them, and be taken away', () => {
    const table = tableFor(16)
    table.learn(1, 0, 3, 0)
    assert.ok(table.setStatic(1, 0, 4, 0))
    assert.deepEqual([table.countOf(3), table.countOf(4), table.portOf(1, 0)], [0, 0, 4])
    assert.ok(table.setStatic(1, 0, 5, 0))
    assert.deepEqual([table.portOf(1, 0), table.size, table.statics], [5, 1, 1])
    assert.ok(table.removeStatic(1, 0, 0))
    assert.ok(!table.removeStatic(1, 0, 0))
    assert.deepEqual([table.portOf(1, 0), table.size, table.statics], [-1, 0, 0])
    table.learn(1, 0, 3, 0)
    assert.ok(!table.removeStatic(1, 0, 0))
    assert.equal(table.portOf(1, 0), 3)
  })

  test('can fill the table; then nothing is learnt, and nothing lost', () => {
    const table = tableFor(16)
    for (let i = 0; i < 16; i++) assert.ok(table.setStatic(i, 1, 1, 0))
    assert.ok(!table.setStatic(100, 1, 1, 0))
    assert.equal(table.learn(101, 1, 1, 0), BUSY)
    assert.deepEqual([table.size, table.statics], [16, 16])
  })

  test('stay when their chain is cut', () => {
    const buffer = new ArrayBuffer(macTableBytes(1000))
    initMacTable(buffer, 1000)
    new Int32Array(buffer).fill(0, KEYS, KEYS + 3)
    const table = new MacTable(buffer)
    for (let i = 0; i < 5; i++) table.setStatic(i, 0, 1, 0)
    for (let i = 100; i < 200; i++) table.learn(i, 0, 1, 0)
    assert.deepEqual([table.size, table.statics], [16, 5])
    for (let i = 0; i < 5; i++) assert.equal(table.portOf(i, 0), 1)
    for (let i = 5; i < 16; i++) table.setStatic(i, 0, 1, 0)
    assert.ok(!table.setStatic(16, 0, 1, 0))
    assert.equal(table.learn(300, 0, 1, 0), BUSY)
    assert.equal(table.statics, 16)
  })
})

describe('addresses that move too often', () => {
  const limit = { moves: 3, withinMs: 1000, holdMs: 5000 }
  function limited(): MacTable {
    const table = tableFor(16)
    table.moveLimit = limit
    table.learn(1, 0, 1, 0, 0)
    return table
  }
  /** Frames from ports in turn, a millisecond apart. */
  const frames = (table: MacTable, ms: number, ...ports: number[]) =>
    ports.map((port, i) => table.learn(1, 0, port, 0, (ms + i) | 0))

  for (const start of [0, 2 ** 31 - 2, 2 ** 32 - 2]) {
    test(`stay where they were at first, from ${start} on`, () => {
      const table = limited()
      assert.deepEqual(frames(table, start, 2, 1, 2, 1), [1, 2, 1, HELD_NOW])
      assert.equal(table.portOf(1, 0), 1)
      assert.deepEqual(frames(table, start + 10, 2, 1, 2), [HELD_BACK, 1, HELD_BACK])
      assert.ok(table.isHeldBack(table.find(1, 0), 2, (start + 10) | 0))
      assert.ok(!table.isHeldBack(table.find(1, 0), 1, (start + 10) | 0))
      assert.deepEqual(frames(table, start + 5003, 2), [1])
      assert.deepEqual([table.flaps, table.moves], [1, 4])
      assert.deepEqual(table.countOf(2), 1)
    })
  }

  test('are brought home when the last frame came from elsewhere', () => {
    const table = limited()
    assert.deepEqual(frames(table, 0, 2, 3, 1, 2), [1, 2, 3, HELD_NOW])
    assert.equal(table.portOf(1, 0), 1)
  })

  test('may move slowly for ever', () => {
    const table = limited()
    for (let i = 0; i < 100; i++) {
      const [before, after] = i % 2 === 0 ? [1, 2] : [2, 1]
      assert.deepEqual(frames(table, i * 400, after as number), [before])
    }
    assert.equal(table.flaps, 0)
  })

  test('are not held where two others would have them, and are when their owner speaks', () => {
    const table = limited()
    assert.deepEqual(frames(table, 0, 2, 3, 2, 3, 2, 3), [1, 2, 3, 2, 3, 2])
    assert.deepEqual(frames(table, 10, 1), [HELD_NOW])
    assert.equal(table.portOf(1, 0), 1)
  })

  test('do not get another home by a pause shorter than a hold', () => {
    const table = limited()
    frames(table, 0, 2)
    assert.deepEqual(frames(table, 4000, 1, 2, 1, 2), [2, 1, 2, HELD_NOW])
    assert.equal(table.portOf(1, 0), 1)
  })

  test('are not brought to a port that is no more', () => {
    const table = limited()
    frames(table, 0, 2)
    table.removePort(1, 0)
    assert.deepEqual(frames(table, 10, 1, 2, 1, 2), [2, 1, 2, HELD_NOW])
    assert.equal(table.portOf(1, 0), 2)
  })
})

test('two threads may change it at once', async () => {
  const buffer = new SharedArrayBuffer(macTableBytes(256))
  initMacTable(buffer, 256)
  const table = new MacTable(buffer)
  const statics = 3
  for (let n = 0; n < statics; n++)
    for (let vlan = 0; vlan < VLANS; vlan++)
      table.setStatic(n << 1, keyOf(n, vlan), portsOf(n, vlan), 0)
  const file = fileURLToPath(new URL('./mac-table-worker.js', import.meta.url))
  const counts = await Promise.all(
    [1, 2].map(
      (seed) =>
        new Promise<{ changes: number; odd: number; spoilt: number }>((resolve, reject) => {
          const workerData = { buffer, seed, milliseconds: 500, statics }
          const worker = new Worker(file, { workerData })
          worker.once('message', resolve).once('error', reject)
        }),
    ),
  )
  // Taking the lock clears up after a thread that slept so long that it lost its own.
  table.sweep(0, 10)
  checkWhole(table)
  assert.equal(table.statics, statics * VLANS)
  for (const { changes, odd, spoilt } of counts) {
    assert.ok(changes > 1000, `${changes} changes`)
    assert.equal(odd, 0, 'lookups that gave a port on which the address never was')
    assert.equal(spoilt, 0, 'static entries that were not what was given')
  }
})
