/** The bench's tester, on switches whose faults are known: what they lose and how long they hold frames back is found. */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { chooseCpus } from '../../bench/cpus.js'
import { chooseMemory } from '../../bench/memory.js'
import type { Cpus } from '../../bench/setup.js'
import { withSockets } from '../../bench/sockets.js'
import { Tester, type TrialRequest } from '../../bench/tester/tester.js'
import type { Trial } from '../../bench/tester/trial.js'
import { type Burst, Datapath } from '../../src/index.js'
import { binding } from '../../src/native/binding.js'

const skip = availableParallelism() < 2 && 'the bench needs two CPUs'

/** Far below what any machine carries. */
const TRIAL = { framesPerSecond: 10_000, milliseconds: 300 }

/** Chosen while this thread may still run anywhere. */
let cpus: Cpus | undefined

/** What a trial tells of a switch between two ports, in this process. */
async function trialOf(
  decide: (burst: Burst, frame: number) => void,
  request: TrialRequest = TRIAL,
  accept: (trial: Trial) => boolean = () => true,
): Promise<Trial> {
  let attempts = 5
  const shared = { ring: 'split', frameBytes: 64, burst: 32 } as const
  cpus ??= chooseCpus(undefined)
  const machine = { cpus, memory: chooseMemory('memfd') }
  // On the tester's CPU this thread would make the tester late.
  binding.pinThread(machine.cpus.switch)
  return withSockets({ ...shared, ...machine }, async (setup) => {
    await using tester = new Tester(setup)
    const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 128 })
    try {
      const [a, b] = await Promise.all(
        setup.sockets.map((path, i) =>
          datapath.addPort({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path }),
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
      // A tester that others kept from its CPU judges no frame; then it is asked again.
      let trial: Trial
      do {
        trial = await Promise.race([tester.trial(request), tester.failed])
      } while (!accept(trial) && --attempts > 0)
      return trial
    } finally {
      await datapath.close()
    }
  })
}

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

describe('the tester', { skip }, () => {
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
    // The rings hold 1024 frames each, and the switch sleeps in the first that it takes.
    let slept = false
    const doze = () => {
      if (!slept) spin(400)
      slept = true
    }
    const trial = await trialOf(doze, { framesPerSecond: 40_000, milliseconds: 300 })
    assert.ok(trial.refused > 0)
    assert.equal(trial.lost, trial.refused)
  })

  test('a switch that holds frames back shows it', async () => {
    const request = { framesPerSecond: 100, milliseconds: 500, scattered: true }
    const shortest = async (milliseconds: number) => {
      const hold = (_: Burst, frame: number) => {
        if (frame === 0) spin(milliseconds)
      }
      const trial = await trialOf(hold, request, ({ latency }) => latency.count > 0)
      assert.ok(trial.latency.count > 0)
      return trial.latency.quantile(0) / 1000
    }
    const [one, twenty] = [await shortest(1), await shortest(20)]
    assert.ok(twenty >= 20, `held for 20 ms, the first came after ${twenty} ms`)
    assert.ok(one >= 1 && one < 20, `held for 1 ms, the first came after ${one} ms`)
  })

  test('a frame that is due while the switch dozes is late by the time it was due, not sent', async () => {
    // Without what is due being sent meanwhile, only one frame would be late: coordinated omission.
    const lateShare = ({ latency }: Trial) => {
      let share = 0
      for (let q = 1; q > 0 && latency.quantile(q) >= 10_000; q -= 0.001) share = 1 - q
      return share
    }
    // Once in each trial.
    let seen = 0
    const doze = () => {
      if (seen++ % 1000 === 0) spin(50)
    }
    const request = { framesPerSecond: 10_000, milliseconds: 100 }
    const trial = await trialOf(doze, request, (one) => lateShare(one) > 0.05)
    assert.ok(
      lateShare(trial) > 0.05,
      `${lateShare(trial)} of the frames were late by 10 ms or more`,
    )
  })
})
