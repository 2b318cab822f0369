/** In steady state a burst allocates nothing: a million of them leave the garbage collector idle. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Child } from '../support/child.js'
import type { Watch } from './children/endless-frames.js'

const MILLION = 1_000_000

async function watch(program: string, bursts: number, times: number): Promise<Watch[]> {
  const script = new URL('./children/endless-frames.js', import.meta.url)
  const args = [program, String(MILLION / 2), String(bursts), String(times)]
  await using child = new Child(script, args, { limitMs: 150_000 })
  return (await child.message()) as Watch[]
}

describe('a million bursts', () => {
  for (const program of ['cross-connect', 'learning-switch']) {
    test(`${program}: no garbage collection`, async (t) => {
      // Turns of the event loop and the compiler allocate too: that may come to a collection in one of the three,
      // while garbage from every burst comes to one in each.
      const watches = await watch(program, MILLION, 3)
      t.diagnostic(
        watches.map(({ bytes, bursts }) => `${(bytes / bursts).toFixed(3)} B a burst`).join(', '),
      )
      const least = Math.min(...watches.map(({ collections }) => collections))
      assert.equal(least, 0, JSON.stringify(watches))
      assert.ok(watches.every(({ bursts }) => bursts >= MILLION))
    })
  }

  test('one object a burst would not go unseen', async () => {
    const [seen] = await watch('one object a burst', MILLION, 1)
    assert.ok((seen?.collections ?? 0) > 0, JSON.stringify(seen))
  })
})
