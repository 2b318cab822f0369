import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { MacTable, macOf, NEW } from '../../src/programs/mac-table.js'
import { initMacTable, KEYS, macTableBytes } from '../../src/programs/mac-table-layout.js'
import { Random, seeds } from '../headers/random.js'

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

/** Holds everything the table says about itself together. */
function checkWhole(table: MacTable, now = 0): void {
  const entries = table.entries(now)
  assert.equal(entries.length, table.size)
  assert.equal(new Set(entries.map(({ mac }) => mac)).size, entries.length)
  const counts = new Map<number, number>()
  for (const { mac, port } of entries) {
    assert.equal(table.portOf(...halves(mac)), port)
    counts.set(port, (counts.get(port) ?? 0) + 1)
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

test('two threads may change it at once', async () => {
  const buffer = new SharedArrayBuffer(macTableBytes(256))
  initMacTable(buffer, 256)
  const file = fileURLToPath(new URL('./mac-table-worker.js', import.meta.url))
  const counts = await Promise.all(
    [1, 2].map(
      (seed) =>
        new Promise<{ changes: number; odd: number }>((resolve, reject) => {
          const worker = new Worker(file, { workerData: { buffer, seed, milliseconds: 500 } })
          worker.once('message', resolve).once('error', reject)
        }),
    ),
  )
  const table = new MacTable(buffer)
  // Taking the lock clears up after a thread that slept so long that it lost its own.
  table.sweep(0, 10)
  checkWhole(table)
  for (const { changes, odd } of counts) {
    assert.ok(changes > 1000, `${changes} changes`)
    assert.equal(odd, 0, 'lookups that gave a port on which the address never was')
  }
})
