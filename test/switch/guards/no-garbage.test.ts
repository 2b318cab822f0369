import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { collectionsOf } from '../../support/collections.js'

/** With 16 bytes of garbage a burst, the young generation of 1 MiB would be full one and a half times over. */
const BURSTS = 100_000

const child = new URL('./children/no-garbage-child.js', import.meta.url)

describe(`${BURSTS} guarded bursts of 32 frames leave no garbage`, () => {
  for (const scenario of [
    'port security',
    'policers',
    'mirrors',
    'mirrors to a VLAN, cut',
    'all',
  ]) {
    test(scenario, () => assert.deepEqual(collectionsOf(child, scenario, BURSTS), []))
  }
})
