import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** With 32 bytes of garbage a burst, the young generation of 1 MiB would be full three times over. */
const BURSTS = 100_000

const child = fileURLToPath(new URL('./no-garbage-child.js', import.meta.url))

/** What V8 said of collections while a scenario ran. */
function collections(scenario: string): string[] {
  // On a busy machine, what is optimised on another thread may not be ready when it is to be measured.
  const flags = [
    '--no-concurrent-recompilation',
    '--trace-gc',
    '--expose-gc',
    '--max-semi-space-size=1',
  ]
  const result = spawnSync(process.execPath, [...flags, child, scenario, String(BURSTS)], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  assert.equal(result.status, 0, result.stderr)
  const [, during] = /\nBEGIN\n([\s\S]*)\nEND\n/.exec(result.stdout) ?? []
  assert.ok(during !== undefined, result.stdout)
  return during.split('\n').filter((line) => line.trim() !== '')
}

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
      const seen = collections(scenario)
      assert.ok(seen.length <= 2, seen.join('\n'))
    })
  }
})
