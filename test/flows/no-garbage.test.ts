import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { collectionsOf } from '../support/collections.js'

/** With 32 bytes of garbage a burst, the young generation of 1 MiB would be full three times over. */
const BURSTS = 100_000

const child = new URL('./no-garbage-child.js', import.meta.url)

describe(`flow tables leave no garbage in ${BURSTS} bursts of 32 frames`, () => {
  for (const scenario of [
    'two rules',
    'a chain of rules',
    '1000 exact rules',
    '1000 prefixes',
    '200 rules of 200 masks',
    'normal',
    'meter and controller',
  ]) {
    test(scenario, () => {
      // What runs rarely, such as the search for flows that are idle, is optimised late and boxes numbers until then.
      const seen = collectionsOf(child, scenario, BURSTS)
      assert.ok(seen.length <= 2, seen.join('\n'))
    })
  }
})
