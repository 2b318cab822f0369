import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { collectionsOf } from '../support/collections.js'

/** With 16 bytes of garbage a burst, the young generation of 1 MiB would be full three times over. */
const BURSTS = 200_000

const child = new URL('./no-garbage-child.js', import.meta.url)

describe(`${BURSTS} bursts of 32 frames leave no garbage`, () => {
  for (const scenario of [
    'cross-connect',
    'two stations',
    '1000 stations',
    'more stations than the table has room for',
    'parsing and rewriting',
  ]) {
    test(scenario, () => assert.deepEqual(collectionsOf(child, scenario, BURSTS), []))
  }

  test('and garbage would show', () => {
    // Without the optimiser every number read from the clock is an object.
    assert.ok(
      collectionsOf(child, 'two stations', 10_000, ['--no-opt', '--no-sparkplug']).length > 0,
    )
  })
})
