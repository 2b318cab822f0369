/** An lcore under load leaves its thread's event loop alone while that has nothing to do, and lets it go on when it has. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Datapath, type Lcore } from '../../src/index.js'
import { SMALL } from '../support/loopback.js'
import { type Watched, Watches, type Work } from './programs/watches.js'

/** Long enough for ten of the rounds that come anyway, and for a thousand and more of what is done at once. */
const WATCH_MS = 1000
const FEW = 100
/** A round after each turn would be thousands; the main thread has some work of its own. */
const MANY = 1000

describe('while frames flow', () => {
  let datapath: Datapath
  before(async () => {
    datapath = await Datapath.open(SMALL)
    await datapath.addPort({ name: 'endless', type: 'dpdk', devargs: 'net_null0,size=64' })
  })
  after(() => datapath.close())

  async function watch(lcore: Lcore, work: Work): Promise<Watched> {
    const seen = (await lcore.call({ milliseconds: WATCH_MS, work })) as Watched
    assert.ok(seen.bursts > 10 * FEW, `${seen.bursts} bursts`)
    return seen
  }

  const threads: Record<string, () => Promise<Lcore>> = {
    'a Worker': () => datapath.launch(new URL('./programs/watches.js', import.meta.url)),
    'the main thread': () => datapath.run(new Watches()),
  }
  for (const [thread, start] of Object.entries(threads)) {
    describe(`in ${thread}`, () => {
      test('with nothing else to do, the event loop gets few rounds, but gets them', async () => {
        await using lcore = await start()
        const { rounds } = await watch(lcore, 'nothing')
        assert.ok(rounds > 0 && rounds < MANY, `${rounds} rounds`)
      })

      for (const work of ['timers', 'promises', 'ticks', 'immediates'] as const) {
        test(`${work} of the program have their turn at once`, async () => {
          await using lcore = await start()
          const seen = await watch(lcore, work)
          assert.ok(seen[work] > FEW, `${seen[work]} ${work}, ${seen.rounds} rounds`)
        })
      }

      test('messages have their turn at once', async () => {
        await using lcore = await start()
        const end = performance.now() + WATCH_MS
        let answers = 0
        for (; performance.now() < end; answers++) await lcore.call('ping')
        assert.ok(answers > FEW, `${answers} answers`)
      })

      test('it ends when it is told to', async () => {
        const lcore = await start()
        await lcore.call('ping')
        await lcore.stop()
        assert.equal(datapath.lcores.size, 0)
      })
    })
  }
})
