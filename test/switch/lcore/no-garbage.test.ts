import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { collectionsOf } from '../../support/collections.js'

/** With 16 bytes of garbage a burst, the young generation of 1 MiB would be full one and a half times over. */
const BURSTS = 100_000

/** What V8 leaves out because it escapes nowhere depends on what it inlines, which differs from lcore to lcore. */
const FLAGS = ['--no-turbo-escape']

const child = new URL('./no-garbage-child.js', import.meta.url)

describe(`${BURSTS} bursts of 32 frames through all of a bridge's pipeline leave no garbage`, () => {
  for (const scenario of ['bridge', 'two rules', 'rules before the bridge', 'guards', 'all'])
    test(scenario, () => assert.deepEqual(collectionsOf(child, scenario, BURSTS, FLAGS), []))
})
