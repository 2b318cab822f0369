/** The bench's tester, on switches whose faults are known: what they lose and how long they hold frames back is found. */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { chooseCpus } from '../../bench/cpus.js'
import { chooseMemory } from '../../bench/memory.js'
import { Tester, type TrialRequest } from '../../bench/tester/tester.js'
import type { Trial } from '../../bench/tester/trial.js'
import { type Burst, Datapath } from '../../src/index.js'
import { binding } from '../../src/native/binding.js'
import { socketFolder } from '../support/loopback.js'

const skip = availableParallelism() < 2 && 'the bench needs two CPUs'

/** Far below what any machine carries. The last frames are waited for long enough for a thread that was held up. */
const TRIAL = { framesPerSecond: 10_000, milliseconds: 200, lingerMs: 300 }

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

describe('the tester', { skip }, () => {
  const folder = socketFolder()
  let tester: Tester
  let datapath: Datapath
  /** What the switch between the tester's ports, in this process, does to a frame besides. */
  let decide: (burst: Burst, frame: number) => void = () => {}

  before(async () => {
    // Chosen while this thread may still run anywhere.
    const cpus = chooseCpus(undefined)
    // On the tester's CPU this thread would make the tester late.
    binding.pinThread(cpus.switch)
    tester = new Tester({
      ring: 'split',
      frameBytes: 64,
      burst: 32,
      cpus,
      memory: chooseMemory('memfd'),
      folder: folder.path,
      sockets: [join(folder.path, 'a'), join(folder.path, 'b')],
    })
    datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 128 })
    const [a, b] = await Promise.all(
      ['a', 'b'].map((name) =>
        datapath.addPort({ name, type: 'dpdkvhostuserclient', path: join(folder.path, name) }),
      ),
    )
    const other = (port: number) => (port === a?.id ? b?.id : a?.id) as number
    await datapath.run((burst) => {
      for (let i = 0; i < burst.count; i++) {
        burst.outPort[i] = other(burst.inPort)
        decide(burst, i)
      }
    })
    await tester.started()
  })
  after(async () => {
    await tester[Symbol.asyncDispose]()
    await datapath.close()
    folder[Symbol.dispose]()
  })

  /** What a trial tells of a switch that decides so. */
  function trialOf(doing: typeof decide, request: Partial<TrialRequest> = {}): Promise<Trial> {
    decide = doing
    return Promise.race([tester.trial({ ...TRIAL, ...request }), tester.failed])
  }

  test('a switch that forwards all loses nothing', async () => {
    const trial = await trialOf(() => {})
    assert.ok(trial.offered > 0)
    assert.deepEqual(
      [trial.received, trial.lost, trial.refused, trial.outOfOrder, trial.foreign],
      [trial.offered, 0, 0, 0, 0],
    )
    assert.equal(trial.latency.count + trial.unjudged, trial.received)
  })

  test('a switch that drops each tenth frame is found to lose exactly those', async () => {
    let seen = 0
    let dropped = 0
    const trial = await trialOf((burst, frame) => {
      seen += 1
      if (seen % 10 !== 0) return
      burst.outPort[frame] = -1
      dropped += 1
    })
    assert.ok(dropped > 0)
    assert.equal(trial.offered, seen)
    assert.equal(trial.lost, dropped)
    assert.equal(trial.lossRatio, dropped / seen)
    assert.deepEqual([trial.refused, trial.outOfOrder], [0, 0])
  })

  test('a frame that comes twice does not make up for one that is lost', async () => {
    let seen = 0
    const trial = await trialOf((burst, frame) => {
      seen += 1
      if (seen % 10 === 0) burst.outPort[frame] = -1
      if (seen % 10 === 1) burst.copyTo(frame, burst.outPort[frame] as number)
    })
    // Copies are sent before their burst and overtake some: those count as lost too.
    assert.ok(trial.lost >= Math.floor(seen / 10), `${trial.lost} lost of ${seen}`)
    assert.ok(trial.outOfOrder > 0)
  })

  test('a ring that the switch does not look at is a loss, and said to be full', async () => {
    // The rings hold 256 frames each, and the switch sleeps in the first that it takes.
    let slept = false
    const doze = () => {
      if (!slept) spin(400)
      slept = true
    }
    const request = { framesPerSecond: 40_000, milliseconds: 300, lingerMs: 1000 }
    const trial = await trialOf(doze, request)
    assert.ok(trial.refused > 0)
    assert.equal(trial.lost, trial.refused)
  })

  test('a switch that holds frames back shows it', async (t) => {
    const request = { framesPerSecond: 100, milliseconds: 300, lingerMs: 1000, scattered: true }
    const shortest = async (milliseconds: number) => {
      const hold = (_: Burst, frame: number) => {
        if (frame === 0) spin(milliseconds)
      }
      const trial = await judged(() => trialOf(hold, request), 0, t)
      return trial && trial.latency.quantile(0) / 1000
    }
    const [one, twenty] = [await shortest(1), await shortest(20)]
    if (one === undefined || twenty === undefined) return
    assert.ok(twenty >= 20, `held for 20 ms, the first came after ${twenty} ms`)
    assert.ok(one >= 1 && one < 20, `held for 1 ms, the first came after ${one} ms`)
  })

  test('frames that fall due while the switch dozes are sent then, and each has waited since', async (t) => {
    // A tester that waits for the switch would send hardly any, and find one that is late: coordinated omission.
    const dozing = () => {
      let dozed = false
      return trialOf(
        () => {
          if (!dozed) spin(50)
          dozed = true
        },
        // A ring of 256 frames takes what comes while it dozes.
        { framesPerSecond: 3000, milliseconds: 100 },
      )
    }
    const trial = await judged(
      async () => {
        const taken = await dozing()
        // However late the frames, they were offered. One that waits for the switch would offer half of them; what is missing
        // of the whole is what the tester skipped because others had its CPU for a moment.
        assert.ok(taken.pace > 0.75, `it offered ${taken.pace} of the frames`)
        assert.equal(taken.lost, 0)
        return taken
      },
      0.75,
      t,
    )
    if (trial === undefined) return
    // Two in five waited for 10 ms or more, since 50 of the 100 ms were dozed away. A quarter of all, not judged, may be of these.
    const wait = trial.latency.quantile(0.85) / 1000
    assert.ok(wait >= 10, `all but 15 % of the frames came within ${wait} ms`)
  })
})

/** A trial in which others left the tester its CPU, so that it could judge some frames, and at least this share of them. */
async function judged(
  take: () => Promise<Trial>,
  share: number,
  t: { skip(why: string): void },
): Promise<Trial | undefined> {
  for (let attempts = 8; attempts > 0; attempts--) {
    const trial = await take()
    if (trial.latency.count > share * trial.received) return trial
  }
  t.skip('others used the CPU of the tester all the time')
  return undefined
}
