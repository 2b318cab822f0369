import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Burst, BurstWord, DROP, MAX_FRAMES } from '../../src/burst/burst.js'
import { vlan } from '../../src/headers/index.js'
import { SubBurst } from '../../src/programs/sub-burst.js'
import { Random } from '../headers/random.js'
import { MadeUpBurst } from '../support/made-up-burst.js'

const frames = (count: number) =>
  Array.from({ length: count }, (_, i) => new Uint8Array(60).fill(i + 1))

/** Hands the frames that `which` names to `program`, as a burst of their own. */
function through(
  sub: SubBurst,
  real: Burst,
  program: (burst: Burst) => void,
  which: (index: number) => boolean = () => true,
): void {
  sub.begin()
  for (let i = 0; i < real.count; i++) if (which(i)) sub.add(i)
  program(sub.open(real))
  sub.close()
}

describe('a program that is handed a part of a burst', () => {
  test('sees that part with all that a burst has', () => {
    const lcore = new MadeUpBurst(5)
    const real = lcore.receive(3, frames(6))
    lcore.memory.words[BurstWord.inQueue] = 2
    lcore.memory.words[BurstWord.readyEpoch] = 77
    real.begin(6)
    lcore.pass(3)
    let seen = false
    through(
      new SubBurst(),
      real,
      (burst) => {
        seen = true
        const { count, inPort, inQueue, total, readyCount, readyEpoch, now, copyCount } = burst
        assert.deepEqual(
          { count, inPort, inQueue, total, readyCount, readyEpoch, now, copyCount },
          {
            count: 3,
            inPort: 3,
            inQueue: 2,
            total: 3,
            readyCount: 5,
            readyEpoch: 77,
            now: 1_003_000,
            copyCount: 0,
          },
        )
        assert.equal(burst.readyPorts, real.readyPorts)
        assert.equal(burst.isReady, real.isReady)
        assert.deepEqual([...burst.outPort.subarray(0, 3)], [DROP, DROP, DROP])
        const first = [0, 1, 2].map((i) => burst.bytes[burst.offset[i] as number])
        assert.deepEqual(first, [2, 4, 6])
        assert.deepEqual([...burst.length.subarray(0, 3)], [60, 60, 60])
      },
      (i) => i % 2 === 1,
    )
    assert.ok(seen)
  })

  test('decides about that part alone', () => {
    const lcore = new MadeUpBurst(5)
    const real = lcore.receive(0, frames(4))
    real.outPort[0] = 4
    real.copyTo(0, 3)
    through(
      new SubBurst(),
      real,
      (burst) => {
        burst.outPort[0] = 1
        burst.outPort[1] = 2
        burst.copyTo(1, 4)
        vlan.push(burst, 0, 5)
      },
      (i) => i >= 2,
    )
    assert.deepEqual([...real.outPort.subarray(0, 4)], [4, DROP, 1, 2])
    assert.deepEqual([...real.length.subarray(0, 4)], [60, 60, 64, 60])
    assert.equal(real.copyCount, 2)
    assert.deepEqual([...real.copyFrame.subarray(0, 2)], [0, 3])
    assert.deepEqual([...real.copyPort.subarray(0, 2)], [3, 4])
  })

  test('adds a receiver to a frame that has one', () => {
    const lcore = new MadeUpBurst(3)
    const real = lcore.receive(0, frames(1))
    real.outPort[0] = 1
    through(new SubBurst(), real, (burst) => {
      burst.outPort[0] = 2
    })
    assert.deepEqual(
      lcore.sent().map((sent) => sent[0]),
      ['1', '2'],
    )
  })

  test('may be one within another', () => {
    const lcore = new MadeUpBurst(4)
    const real = lcore.receive(0, frames(8))
    const inner = new SubBurst()
    const bursts = new Set<Burst>()
    const decide = (burst: Burst) => {
      bursts.add(burst)
      burst.outPort[0] = 1
      const made = burst.duplicate(0)
      burst.outPort[made] = 2
    }
    through(
      new SubBurst(),
      real,
      (burst) => through(inner, burst, decide, (i) => i === 3),
      (i) => i >= 4,
    )
    assert.equal(real.outPort[7], 1)
    assert.equal(real.total, 9)
    assert.equal(real.outPort[8], 2)
    // Whether there is one around it or not, it is the same object: nothing is made for every burst.
    through(inner, lcore.receive(0, frames(8)), decide)
    assert.equal(bursts.size, 1)
  })

  test('may ask for what cannot be', () => {
    const lcore = new MadeUpBurst(3)
    const real = lcore.receive(0, frames(2))
    through(
      new SubBurst(),
      real,
      (burst) => {
        assert.equal(burst.duplicate(1), -1)
        assert.equal(burst.duplicate(-1), -1)
        assert.equal(burst.duplicate(100_000), -1)
        assert.equal(burst.create(13), -1)
        assert.equal(burst.create(1e6), -1)
        assert.equal(burst.total, 1)
        burst.copyTo(1, 2)
        burst.outPort[0] = -5
      },
      (i) => i === 1,
    )
    // Both are counted by the datapath as bad verdicts, and no other frame goes anywhere.
    assert.equal(real.copyFrame[0], MAX_FRAMES)
    assert.deepEqual([...real.outPort.subarray(0, 2)], [DROP, -5])
  })

  test('gets as many frames as there is room for', () => {
    const lcore = new MadeUpBurst(3)
    const real = lcore.receive(0, frames(2))
    const sub = new SubBurst()
    sub.begin()
    for (let i = 0; i < MAX_FRAMES; i++) assert.ok(sub.add(i % 2))
    assert.equal(sub.add(0), false)
    const burst = sub.open(real)
    assert.equal(burst.count, MAX_FRAMES)
    assert.equal(burst.create(60), -1)
    assert.equal(burst.duplicate(0), -1)
    burst.outPort.fill(1, 0, MAX_FRAMES)
    sub.close()
    assert.equal(lcore.sent().length, MAX_FRAMES)
    assert.equal(real.total, 2)
  })

  test('makes frames until the burst is full', () => {
    const lcore = new MadeUpBurst(3)
    const real = lcore.receive(0, frames(10))
    let made = 0
    through(
      new SubBurst(),
      real,
      (burst) => {
        while (burst.create(60) >= 0) made++
        for (let i = burst.count; i < burst.total; i++) burst.outPort[i] = 2
      },
      (i) => i < 3,
    )
    assert.equal(made, MAX_FRAMES - 10)
    assert.equal(lcore.sent().length, made)
  })

  test('has its copies sent early as its frames are then', () => {
    const lcore = new MadeUpBurst(3)
    const real = lcore.receive(0, frames(2))
    const lengths: number[] = []
    real.beforeFlush = ({ length }) => lengths.push(length[1] as number)
    through(
      new SubBurst(),
      real,
      (burst) => {
        vlan.push(burst, 0, 5)
        for (let i = 0; i < 3 * MAX_FRAMES; i++) burst.copyTo(0, 1)
        vlan.push(burst, 0, 6)
      },
      (i) => i === 1,
    )
    assert.deepEqual(lengths, [64, 68])
    assert.equal(lcore.sent().length, 3 * MAX_FRAMES)
  })

  test('may throw half-way: nothing of it counts, and the next burst is whole', () => {
    const lcore = new MadeUpBurst(3)
    const sub = new SubBurst()
    const real = lcore.receive(0, frames(4))
    const failing = (burst: Burst) => {
      for (let i = 0; i < 2 * MAX_FRAMES + 1; i++) burst.copyTo(0, 1)
      burst.outPort[1] = 1
      burst.create(60)
      throw new Error('oops')
    }
    assert.throws(() => through(sub, real, failing), /oops/)
    assert.deepEqual([...real.outPort.subarray(0, 5)], Array(5).fill(DROP))
    assert.ok(real.copyCount > 0)
    real.dropAll()
    assert.equal(real.copyCount, 0)

    through(sub, lcore.receive(0, frames(2)), (burst) => {
      assert.equal(burst.total, 2)
      assert.equal(burst.copyCount, 0)
      burst.outPort[1] = 2
    })
    assert.deepEqual(lcore.sent(), [`2:${Buffer.alloc(60, 2).toString('hex')}`])
  })
})

/** A program that does anything a program can, the same for the same seed. */
function anything(seed: number) {
  return (burst: Burst) => {
    const random = new Random(seed)
    const steps = random.below(200)
    for (let step = 0; step < steps; step++) {
      const index = random.below(burst.total)
      const port = random.below(6)
      const many = random.below(20) === 0 ? 700 : 1
      switch (random.below(6)) {
        case 0:
          burst.outPort[index] = port - 1
          break
        case 1:
          for (let i = 0; i < many; i++) burst.copyTo(index, port)
          break
        case 2:
          burst.duplicate(index)
          break
        case 3: {
          const made = burst.create(20 + port)
          if (made >= 0)
            burst.bytes.fill(step, burst.offset[made], (burst.offset[made] as number) + 30)
          break
        }
        case 4:
          vlan.push(burst, index, step)
          break
        default:
          vlan.pop(burst, index)
      }
    }
  }
}

test('what any program decides is the same through a sub-burst', () => {
  const sub = new SubBurst()
  let made = 0
  for (let seed = 1; seed <= 300; seed++) {
    const outcomes = [false, true].map((isSub) => {
      const lcore = new MadeUpBurst(6)
      const real = lcore.receive(0, frames(1 + (seed % 9)))
      if (isSub) through(sub, real, anything(seed))
      else anything(seed)(real)
      made += real.total - real.count
      return lcore.sent()
    })
    assert.deepEqual(outcomes[1], outcomes[0], `seed ${seed}`)
  }
  assert.ok(made > 1000)
})
