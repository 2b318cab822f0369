/** However and whenever a process ends, it ends at once, without a core dump, and leaves no socket behind. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Child } from '../support/child.js'
import { socketFolder } from '../support/loopback.js'

const STEPS = [
  'opening',
  'opened',
  'adding',
  'connecting',
  'ready',
  'launching',
  'traffic',
  'other-worker',
  'stopping',
  'removing',
  'closing',
  'closed',
]

describe('the end of a process', () => {
  for (const step of STEPS) {
    for (const way of ['exit', 'throw']) {
      test(`${way} while ${step}`, async () => {
        using folder = socketFolder()
        const script = new URL('./children/exit-at.js', import.meta.url)
        await using child = new Child(script, [folder.path, step, way], { limitMs: 60_000 })
        const { code, signal, stdout, stderr } = await child.ended
        // Less than its lcore may sleep.
        const took = Date.now() - Number(/ends at (\d+)/.exec(stdout)?.[1])
        assert.ok(took < 9000, `${took} ms\n${stderr}`)
        assert.equal(signal, null, `killed by ${signal}: it hung or crashed\n${stderr}`)
        assert.equal(code, way === 'exit' ? 42 : 1, stderr)
        if (way === 'throw') assert.match(stderr, /on purpose/)
        assert.deepEqual(readdirSync(folder.path), [])
      })
    }
  }

  test('exit while EAL loads a driver and does not get done with it', async () => {
    using folder = socketFolder()
    execFileSync('mkfifo', [join(folder.path, 'driver.so')])
    const script = new URL('./children/exit-at.js', import.meta.url)
    await using child = new Child(script, [folder.path, 'loading', 'exit'], {
      limitMs: 60_000,
      env: { LD_LIBRARY_PATH: folder.path },
    })
    const { code, signal, stderr } = await child.ended
    assert.deepEqual({ code, signal }, { code: 42, signal: null }, stderr)
  })

  test('after Workers that were alone with the addon', async () => {
    const script = new URL('./children/workers-in-turn.js', import.meta.url)
    await using child = new Child(script, [], { limitMs: 60_000 })
    const { code, signal, stderr } = await child.ended
    assert.deepEqual({ code, signal }, { code: 42, signal: null }, stderr)
  })
})
