import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { collectionsOf } from '../support/collections.js'

const BURSTS = 100_000
const child = new URL('./children/no-garbage-child.js', import.meta.url)

describe(`${BURSTS} captured bursts of 32 frames leave no garbage`, () => {
  for (const scenario of ['read', 'full'])
    test(scenario, () => assert.deepEqual(collectionsOf(child, scenario, BURSTS), []))
})
