import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { collectionsOf } from '../../support/collections.js'

/** With 16 bytes of garbage a burst, the young generation of 1 MiB would be full three times over. */
const BURSTS = 200_000

const child = new URL('./no-garbage-child.js', import.meta.url)

describe(`${BURSTS} bursts of 32 frames through a bridge leave no garbage`, () => {
  for (const scenario of [
    'two stations',
    '1000 stations and a table of 256',
    'tags put in and taken out',
  ])
    test(scenario, () => assert.deepEqual(collectionsOf(child, scenario, BURSTS), []))
})
