/** However and whenever a process ends, it ends at once, without a core dump, and leaves no socket behind. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
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
})
