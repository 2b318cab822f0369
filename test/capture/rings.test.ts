import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { memoryOf } from '../../bench/footprint/proc.js'
import { newRings } from '../../src/capture/ring.js'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** Of all lcores that there can be. */
const LCORES = 64
const MOST_MIB = 64

test('rings that nobody writes to take no memory, whatever captures before have left to the heap', () => {
  const before = memoryOf(process.pid).anonymous
  // What lives on between them keeps the heap from giving back what they leave.
  const others: ArrayBuffer[] = []
  const sizes = Array.from({ length: 8 }, () => {
    const rings = newRings(LCORES)
    for (const ring of rings) ring[0] = 1
    others.push(new ArrayBuffer(64 * 1024))
    const taken = memoryOf(process.pid).anonymous - before
    collect()
    return Math.round(taken / 2 ** 20)
  })
  assert.ok(
    sizes.every((size) => size < MOST_MIB),
    `MiB taken by one capture after another: ${sizes}`,
  )
})
