import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { BucketTime, TokenBucket, type TokenRate } from '../../src/qos/index.js'
import { Random, seeds } from '../headers/random.js'

const memory = () => new Int32Array(new SharedArrayBuffer(64))

/** A machine that has been up for three weeks. */
const START = 1.8e9

const time = new BucketTime()
function refill(bucket: TokenBucket, now: number): void {
  time.set(now)
  bucket.open(time)
}

interface Load {
  /** Milliseconds between two polls. */
  readonly poll: number
  /** Frames in each burst. */
  readonly burst: number
  /** Bytes of each frame. */
  readonly frame: number
  readonly polls: number
}

/** Empties a bucket, then offers more than may pass, and returns what did and in what time. */
function offer(rate: TokenRate, { poll, burst, frame, polls }: Load, lcores = 1) {
  const words = memory()
  const buckets = Array.from({ length: lcores }, () => new TokenBucket(words, 0, rate))
  const random = new Random(1)
  let now = START
  let passed = 0
  refill(buckets[0] as TokenBucket, now)
  assert.ok(buckets[0]?.take(rate.burst))
  for (let i = 0; i < polls; i++) {
    now += poll * (0.5 + random.below(1000) / 1000)
    const bucket = buckets[i % lcores] as TokenBucket
    // One lcore's time may be a little behind that of another.
    refill(bucket, now - random.below(2) * poll * 0.1)
    for (let n = 0; n < burst; n++) if (bucket.take(frame)) passed += frame
    bucket.close()
  }
  return { passed, seconds: (now - START) / 1000 }
}

const KBPS = 125
const GBPS = 1e9 / 8

const loads: [name: string, TokenRate, Load][] = [
  [
    '1 kbit/s, burst of a second',
    { rate: KBPS, burst: 1500 },
    { poll: 50, burst: 1, frame: 100, polls: 200_000 },
  ],
  [
    '1 kbit/s, the default burst',
    { rate: KBPS, burst: 1e6 },
    { poll: 400, burst: 3, frame: 1486, polls: 200_000 },
  ],
  [
    '64 kbit/s, polled all the time',
    { rate: 64 * KBPS, burst: 1600 },
    { poll: 0.001, burst: 1, frame: 46, polls: 1_000_000 },
  ],
  [
    '1 Mbit/s',
    { rate: 1000 * KBPS, burst: 1e6 },
    { poll: 1, burst: 4, frame: 1486, polls: 200_000 },
  ],
  [
    '10 Mbit/s of small frames',
    { rate: 10_000 * KBPS, burst: 3000 },
    { poll: 0.05, burst: 32, frame: 46, polls: 200_000 },
  ],
  ['1 Gbit/s', { rate: GBPS, burst: 1e6 }, { poll: 0.02, burst: 32, frame: 986, polls: 200_000 }],
  [
    '1 Gbit/s, an odd rate and burst',
    { rate: 123_456_789, burst: 77_777 },
    { poll: 0.01, burst: 32, frame: 333, polls: 200_000 },
  ],
  [
    '10 Gbit/s, a burst of 12 gigabytes',
    { rate: 10 * GBPS, burst: 12e9 },
    { poll: 10, burst: 12_000, frame: 8986, polls: 500 },
  ],
  [
    '100 Gbit/s',
    { rate: 100 * GBPS, burst: 1e6 },
    { poll: 0.005, burst: 64, frame: 1486, polls: 200_000 },
  ],
  [
    '100 Gbit/s, polled all the time',
    { rate: 100 * GBPS, burst: 1e6 },
    { poll: 0.0003, burst: 8, frame: 1486, polls: 1_000_000 },
  ],
  [
    '100 Gbit/s of small frames, 12 gigabytes at once',
    { rate: 100 * GBPS, burst: 12e9 },
    { poll: 0.1, burst: 30_000, frame: 46 + 18, polls: 300 },
  ],
]

describe('in the long run what passes is the rate, to the last frame', () => {
  for (const [name, rate, load] of loads) {
    for (const lcores of [1, 3]) {
      test(`${name}, ${lcores} lcore(s)`, () => {
        const { passed, seconds } = offer(rate, load, lcores)
        assert.ok(load.burst * load.frame * load.polls > 1.3 * rate.rate * seconds)
        // The last frame did not fit, the last refill is as old as a poll, and a millionth of a bucket is not fetched.
        const old = (rate.rate * load.poll * 1.6) / 1000
        const slack = load.frame + old + rate.burst * 1e-6 + rate.rate * seconds * 1e-9
        const error = passed - rate.rate * seconds
        assert.ok(Math.abs(error) <= slack, `${error} bytes of ${passed}, ${slack} would be right`)
      })
    }
  }
})

describe('what is taken of a burst at once', () => {
  /** Bytes of a burst that pass: all of it, or as many frames as fit. */
  function passOf(bucket: TokenBucket, now: number, frames: readonly number[], atOnce: boolean) {
    time.set(now)
    const all = frames.reduce((sum, bytes) => sum + bytes, 0)
    if (atOnce && bucket.takeAll(time, all)) return all
    bucket.open(time)
    let passed = 0
    for (const bytes of frames) if (bucket.take(bytes)) passed += bytes
    bucket.close()
    return passed
  }

  const burstOf = (random: Random) =>
    Array.from({ length: random.between(1, 6) }, () => random.between(46, 686))
  /** Milliseconds to the next burst: below the rate, about it, or above it. */
  const pauseOf = (random: Random, phase: number) =>
    (random.below(1000) / 1000) * ([0.05, 0.02, 0.012][phase % 3] as number)

  // One token takes a whole number of units of time, so that nothing is rounded.
  const rates: [string, TokenRate][] = [
    ['a bucket of 8 ms', { rate: GBPS, burst: 1e6 }],
    ['a bucket of 0.32 ms', { rate: GBPS, burst: 40_000 }],
    ['a bucket of 1.6 ms', { rate: GBPS, burst: 200_000 }],
  ]
  const many = [...seeds(), ...Array.from({ length: 10 }, (_, i) => 1000 + i)]
  for (const [name, rate] of rates) {
    test(`is what its frames take one by one, for one lcore: ${name}, seeds ${many}`, () => {
      for (const seed of many) {
        const random = new Random(seed)
        const whole = new TokenBucket(memory(), 0, rate)
        const single = new TokenBucket(memory(), 0, rate)
        let now = START
        for (let i = 0; i < 10_000; i++) {
          now +=
            pauseOf(random, Math.floor(i / 2000)) +
            (random.below(2000) === 0 ? random.below(20_000) : 0)
          const frames = burstOf(random)
          const expected = passOf(single, now, frames, false)
          // Some are looked at one by one whatever there is, as those of a mirrored port.
          const passed = passOf(whole, now, frames, random.below(50) > 0)
          assert.equal(passed, expected, `burst ${i} of seed ${seed}`)
        }
      }
    })

    test(`is that but for 0.2 % of the rate, for three lcores: ${name}, seeds ${many}`, () => {
      for (const seed of many) {
        const random = new Random(seed)
        const [words, others] = [memory(), memory()]
        const wholes = [0, 1, 2].map(() => new TokenBucket(words, 0, rate))
        const singles = [0, 1, 2].map(() => new TokenBucket(others, 0, rate))
        let now = START
        let [passed, expected] = [0, 0]
        let active = [0]
        for (let i = 0; i < 12_000; i++) {
          // One alone, or several in turns, for up to some dozen milliseconds.
          if (random.below(1000) === 0) active = [0, 1, 2].filter(() => random.below(2) === 0)
          const lcore = active.length === 0 ? 0 : random.pick(active)
          now += pauseOf(random, Math.floor(i / 2000))
          const frames = burstOf(random)
          expected += passOf(singles[lcore] as TokenBucket, now, frames, false)
          passed += passOf(wholes[lcore] as TokenBucket, now, frames, true)
          const untold = Math.min(rate.burst / 64, rate.rate * 20e-6)
          const slack = (rate.rate * 0.002 * (now - START)) / 1000 + 3 * untold + 686
          const error = Math.abs(passed - expected)
          assert.ok(error <= slack, `${passed} and not ${expected} by burst ${i} of seed ${seed}`)
        }
      }
    })
  }

  test(`is the rate where each lcore wants less, and both want more, seeds ${many}`, () => {
    const rate = { rate: GBPS, burst: 200_000 }
    for (const seed of many) {
      const random = new Random(seed)
      const words = memory()
      const lcores = [new TokenBucket(words, 0, rate), new TokenBucket(words, 0, rate)]
      let [now, passed, wanted, turn] = [START, 0, 0, 0]
      for (let i = 0; i < 100_000; i++) {
        // Both have 1.3 of the rate in turns, but in the first 20 ms, which are of one with half of that.
        now += 0.001
        if (i < 20_000 && i % 2 === 0) continue
        if (random.below(15) === 0) turn ^= 1
        const bytes = random.between(120, 205)
        wanted += bytes
        passed += passOf(lcores[i < 20_000 ? 0 : turn] as TokenBucket, now, [bytes], true)
      }
      const tokens = rate.burst + (rate.rate * (now - START)) / 1000
      assert.ok(wanted > 1.05 * tokens)
      assert.ok(passed <= tokens * 1.002, `${passed} of ${tokens}, seed ${seed}`)
    }
  })

  test('is told of when another lcore comes, and paid for by time', () => {
    const words = memory()
    const rate = { rate: GBPS, burst: 1e6 }
    const [a, b] = [new TokenBucket(words, 0, rate), new TokenBucket(words, 0, rate)]
    for (let now = START; now <= START + 20; now++) {
      time.set(now)
      assert.ok(a.takeAll(time, 1000))
    }
    // It takes 20 microseconds to fill that.
    assert.ok(a.takeAll(time, 1400))
    refill(b, START + 20)
    assert.ok(b.take(900_000))
    b.close()
    time.set(START + 20)
    assert.ok(a.takeAll(time, 1000))
    refill(b, START + 20)
    assert.equal(b.take(100_000 - 3400 + 1), false)
    assert.ok(b.take(100_000 - 3400))
    b.close()
  })

  test('leaves nothing missing when its lcore is gone', () => {
    const words = memory()
    const rate = { rate: GBPS, burst: 1e6 }
    const gone = new TokenBucket(words, 0, rate)
    for (let now = START; now <= START + 20; now += 0.1) {
      time.set(now)
      assert.ok(gone.takeAll(time, 1000))
    }
    const next = new TokenBucket(words, 0, rate)
    refill(next, START + 21)
    assert.ok(next.take(1e6))
    assert.equal(next.take(1), false)
  })

  test('is nothing for more than the burst, and where there is not enough', () => {
    const bucket = new TokenBucket(memory(), 0, { rate: 1000, burst: 1000 })
    time.set(START)
    assert.equal(bucket.takeAll(time, 1001), false)
    assert.ok(bucket.takeAll(time, 600))
    assert.equal(bucket.takeAll(time, 401), false)
    assert.ok(bucket.takeAll(time, 400))
  })

  test('is not filled by time without a rate', () => {
    const bucket = new TokenBucket(memory(), 0, { rate: 0, burst: 1000 })
    for (let now = START; now <= START + 500; now += 50) {
      time.set(now)
      assert.ok(bucket.takeAll(time, 90))
    }
    assert.equal(bucket.takeAll(time, 11), false)
    assert.ok(bucket.takeAll(time, 10))
  })
})

describe('a bucket', () => {
  test('is full at first, and lets pass its burst at once and no more', () => {
    const bucket = new TokenBucket(memory(), 0, { rate: 1000, burst: 5000 })
    refill(bucket, START)
    assert.deepEqual([bucket.take(4000), bucket.take(2000), bucket.take(1000)], [true, false, true])
    assert.equal(bucket.take(1), false)
    // A thousand bytes a second.
    refill(bucket, START + 500)
    assert.equal(bucket.take(520), false)
    assert.equal(bucket.take(490), true)
    assert.equal(bucket.take(20), false)
  })

  test('never lets pass a frame longer than its burst', () => {
    const bucket = new TokenBucket(memory(), 0, { rate: 1e9, burst: 1000 })
    refill(bucket, START)
    assert.equal(bucket.take(1001), false)
    assert.equal(bucket.take(1000), true)
  })

  for (const idle of [
    10,
    20 * 60,
    35.8 * 60,
    71.6 * 60,
    24 * 3600,
    30 * 86_400,
    3 * 365 * 86_400,
  ]) {
    test(`is full, and not more than full, after ${idle} s`, () => {
      const bucket = new TokenBucket(memory(), 0, { rate: 1000, burst: 5000 })
      refill(bucket, START)
      assert.ok(bucket.take(5000))
      refill(bucket, START + idle * 1000)
      assert.equal(bucket.take(5001), false)
      assert.equal(bucket.take(5000), true)
      assert.equal(bucket.take(1), false)
    })
  }

  test('fills slowly through days where its rate is low', () => {
    const bucket = new TokenBucket(memory(), 0, { rate: 1, burst: 1e6 })
    refill(bucket, START)
    assert.ok(bucket.take(1e6))
    refill(bucket, START + 100_000 * 1000)
    assert.equal(bucket.take(101_500), false)
    assert.equal(bucket.take(98_500), true)
  })

  test('does not mind an lcore whose time is behind', () => {
    const words = memory()
    const rate = { rate: 1000, burst: 5000 }
    const [a, b] = [new TokenBucket(words, 0, rate), new TokenBucket(words, 0, rate)]
    refill(a, START + 100)
    assert.ok(a.take(5000))
    a.close()
    refill(b, START)
    assert.equal(b.take(1), false)
    refill(a, START + 1100)
    assert.equal(a.take(1020), false)
    assert.equal(a.take(990), true)
  })

  test('stays as full as it was when rate and burst change', () => {
    const words = memory()
    const before = new TokenBucket(words, 0, { rate: 1000, burst: 1000 })
    refill(before, START)
    assert.ok(before.take(750))
    before.close()
    const after = new TokenBucket(words, 0, { rate: 1, burst: 100_000 })
    refill(after, START)
    assert.equal(after.take(25_100), false)
    assert.equal(after.take(24_900), true)
  })

  for (const rate of [
    { rate: -1, burst: 1 },
    { rate: 1, burst: 0 },
    { rate: Number.NaN, burst: 1 },
  ]) {
    test(`cannot have rate ${rate.rate} and burst ${rate.burst}`, () => {
      assert.throws(() => new TokenBucket(memory(), 0, rate), RangeError)
    })
  }
})

test('threads that take at the same time together get the rate', { timeout: 120_000 }, async () => {
  const words = memory()
  const rate: TokenRate = { rate: 10e6, burst: 50_000 }
  const clock = new SharedArrayBuffer(8)
  const script = new URL('./children/bucket-worker.js', import.meta.url)
  const data = { memory: words.buffer, clock, rate, workers: 3 }
  const workers = [0, 1, 2].map(() => new Worker(script, { workerData: data }))
  const results = workers.map(async (worker) => {
    const [result] = await once(worker, 'message')
    return result as { passed: number; refused: number; seconds: number }
  })
  const done = await Promise.all(results)
  const seconds = Math.max(...done.map((result) => result.seconds))
  const passed = done.reduce((sum, result) => sum + result.passed, 0)
  for (const result of done) assert.ok(result.refused > 0)
  const error = (passed - rate.burst) / (rate.rate * seconds) - 1
  assert.ok(Math.abs(error) < 0.02, `${(error * 100).toFixed(2)} %`)
})

test('a thread that is terminated anywhere leaves the others their rate', async () => {
  const words = memory()
  const rate: TokenRate = { rate: 10e6, burst: 50_000 }
  const script = new URL('./children/bucket-worker.js', import.meta.url)
  const clock = new SharedArrayBuffer(8)
  const turns = new Int32Array(clock)
  const bucket = new TokenBucket(words, 0, rate)
  for (let round = 0; round < 5; round++) {
    Atomics.store(turns, 0, 0)
    const data = { memory: words.buffer, clock, rate, workers: 1 }
    const worker = new Worker(script, { workerData: data })
    await once(worker, 'online')
    // Not while V8 compiles what is hot: of a Worker that ends then, Node 20 may abort the process.
    while (Atomics.load(turns, 0) < 2_000_000 + 50_000 * round) await delay(1)
    await worker.terminate()

    let now = START + round * 1e6
    refill(bucket, now)
    assert.ok(bucket.take(rate.burst * 0.99))
    let passed = 0
    for (let i = 0; i < 10_000; i++) {
      now += 1
      refill(bucket, now)
      for (let n = 0; n < 20; n++) if (bucket.take(1000)) passed += 1000
      bucket.close()
    }
    const error = passed / (rate.rate * 10) - 1
    assert.ok(Math.abs(error) < 0.02, `${(error * 100).toFixed(2)} %`)
  }
})
