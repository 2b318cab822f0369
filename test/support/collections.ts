import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What V8 said of collections while `child` ran its scenario, between the words BEGIN and END that it prints. */
export function collectionsOf(
  child: URL,
  scenario: string,
  bursts: number,
  extraFlags: readonly string[] = [],
): string[] {
  const flags = [
    // On a busy machine, what is optimised on another thread may not be ready when it is to be measured.
    '--no-concurrent-recompilation',
    '--trace-gc',
    '--expose-gc',
    '--max-semi-space-size=1',
    ...extraFlags,
  ]
  const args = [...flags, fileURLToPath(child), scenario, String(bursts)]
  const result = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 })
  assert.equal(result.status, 0, result.stderr)
  const [, during] = /\nBEGIN\n([\s\S]*)\nEND\n/.exec(result.stdout) ?? []
  assert.ok(during !== undefined, result.stdout)
  return during.split('\n').filter((line) => line.trim() !== '')
}
