import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** With 16 bytes of garbage a burst, the young generation of 1 MiB would be full three times over. */
const BURSTS = 200_000

const child = fileURLToPath(new URL('./no-garbage-child.js', import.meta.url))

/** What V8 said of collections while a scenario ran. */
function collections(scenario: string, bursts = BURSTS, extra: string[] = []): string[] {
  // On a busy machine, what is optimised on another thread may not be ready when it is to be measured.
  const flags = [
    '--no-concurrent-recompilation',
    '--trace-gc',
    '--expose-gc',
    '--max-semi-space-size=1',
    ...extra,
  ]
  const result = spawnSync(process.execPath, [...flags, child, scenario, String(bursts)], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  assert.equal(result.status, 0, result.stderr)
  const [, during] = /\nBEGIN\n([\s\S]*)\nEND\n/.exec(result.stdout) ?? []
  assert.ok(during !== undefined, result.stdout)
  return during.split('\n').filter((line) => line.trim() !== '')
}

describe(`${BURSTS} bursts of 32 frames leave no garbage`, () => {
  for (const scenario of [
    'cross-connect',
    'two stations',
    '1000 stations',
    'more stations than the table has room for',
    'parsing and rewriting',
  ]) {
    test(scenario, () => assert.deepEqual(collections(scenario), []))
  }

  test('and garbage would show', () => {
    // Without the optimiser every number read from the clock is an object.
    assert.ok(collections('two stations', 10_000, ['--no-opt', '--no-sparkplug']).length > 0)
  })
})
