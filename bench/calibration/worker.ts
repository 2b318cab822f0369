/** A thread of a {@link Calibrator}, bound to one of the two CPUs. */
import { parentPort, workerData } from 'node:worker_threads'
import { binding } from '../../src/native/binding.js'
import { median } from '../statistics.js'

/** What it can be asked; the answer to `stops` is {@link Stops}, to `place` {@link PlaceOfOne}, to the others a number. */
export type Ask = 'work' | 'roundTrip' | 'place' | 'gather' | 'stops'

/** Nanoseconds of a round trip, and of a step of {@link wide}. */
export interface PlaceOfOne {
  readonly roundTrip: number
  readonly wide: number
}

/** How often and how long a CPU did not run a thread that did nothing but work. */
export interface Stops {
  readonly perSecond: number
  /** Of the time, all of them together. */
  readonly share: number
  /** Microseconds; 0 when there was none. */
  readonly median: number
  readonly longest: number
}

export interface Setting {
  readonly cpu: number
  /** Where the two threads meet. */
  readonly line: SharedArrayBuffer
  /** Whether it begins. */
  readonly serves: boolean
}

/** About 30 ms of work. */
const STEPS = 20_000_000

/** Time in which stops are looked for. */
const STOPS_MS = 1000
/** About 10 µs of work: reading the clock allocates, and more often than that it would see its own garbage collections. */
const STOPS_STEPS = 7000
/** What is this much longer than the fastest is a stop. */
const STOP_MS = 0.005

/** About 80 µs each. */
const WIDE_STEPS = 40_000
const WIDE_BATCHES = 11

const BATCHES = 20
const ROUND_TRIPS = 500
/** A partner that was interrupted is waited for this long, and then given up. */
const GIVE_UP_MS = 500

/** Time in which the two threads wake each other; and how long each sleeps when the other does not wake it. */
const GATHER_MS = 15
const SLEEP_MS = 1

/** Indices into the meeting place, each on cache lines of its own. */
const PING = 0
const PONG = 64
const READY = [128, 192] as const
const BELLS = [256, 320] as const

const { cpu, line, serves } = workerData as Setting
const words = new Int32Array(line)
const numbers = new Int32Array(4096).fill(3)
let session = 0

binding.pinThread(cpu)
// Lets them be compiled.
work(STEPS / 10)
for (let i = 0; i < 100; i++) wide(WIDE_STEPS)

const answers: Record<Ask, () => number | Stops | PlaceOfOne> = {
  work: timeWork,
  roundTrip: timeRoundTrip,
  // The two begin the loop at the same time, as they may share a core.
  place: () => ({ roundTrip: timeRoundTrip(), wide: timeWide() }),
  gather,
  stops: findStops,
}
parentPort?.on('message', (what: Ask) => parentPort?.postMessage(answers[what]()))

function timeWork(): number {
  const begun = performance.now()
  // It never comes to 0; asked, so that the compiler cannot leave the work out.
  if (work(STEPS) === 0) throw new Error('xorshift reached 0')
  return performance.now() - begun
}

/** A chain of dependent operations on registers: only the clock of the core sets its time. */
function work(steps: number): number {
  let x = 1
  for (let i = 0; i < steps; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
  }
  return x
}

/** The median of some batches: a few of them are interrupted. */
function timeWide(): number {
  const times: number[] = []
  for (let batch = 0; batch < WIDE_BATCHES; batch++) {
    const begun = performance.now()
    if (wide(WIDE_STEPS) === 0.5) throw new Error('no integer') // never; asked for the same reason
    times.push(performance.now() - begun)
  }
  return (median(times) * 1e6) / WIDE_STEPS
}

/** Operations of which as many can be done at once as a core has units for: another thread on the core takes some of these. */
function wide(steps: number): number {
  let [a, b, c, d, e, f] = [1, 2, 3, 4, 5, 6]
  for (let i = 0; i < steps; i++) {
    a = ((a + b) | 0) ^ (numbers[i & 4095] as number)
    b = ((b + 7) | 0) ^ i
    c = ((c + a) | 0) & 0xffffff
    d = ((d + 3) | 0) ^ (i << 1)
    e = (e + d) | 0 | 1
    f = ((f + (numbers[(i + 64) & 4095] as number)) | 0) ^ e
  }
  return a ^ b ^ c ^ d ^ e ^ f
}

function findStops(): Stops {
  const times: number[] = []
  const begun = performance.now()
  let now = begun
  while (now - begun < STOPS_MS) {
    const before = now
    work(STOPS_STEPS)
    now = performance.now()
    times.push(now - before)
  }
  times.sort((a, b) => a - b)
  const fastest = times[0] as number
  const stops = times.map((time) => time - fastest).filter((time) => time > STOP_MS)
  return {
    perSecond: (1000 * stops.length) / (now - begun),
    share: stops.reduce((sum, time) => sum + time, 0) / (now - begun),
    median: 1000 * (stops[stops.length >> 1] ?? 0),
    longest: 1000 * (stops.at(-1) ?? 0),
  }
}

/** Nanoseconds of the fastest batch: the others may have been interrupted. Infinite when the partner does not answer. */
function timeRoundTrip(): number {
  const deadline = performance.now() + GIVE_UP_MS
  session++
  Atomics.store(words, READY[serves ? 0 : 1], session)
  if (!meet(READY[serves ? 1 : 0], session, deadline)) return Number.POSITIVE_INFINITY
  let best = Number.POSITIVE_INFINITY
  let value = session * BATCHES * ROUND_TRIPS
  for (let batch = 0; batch < BATCHES; batch++) {
    const begun = performance.now()
    for (let i = 0; i < ROUND_TRIPS; i++) {
      value++
      if (serves) Atomics.store(words, PING, value)
      if (!meet(serves ? PONG : PING, value, deadline)) return Number.POSITIVE_INFINITY
      if (!serves) Atomics.store(words, PONG, value)
    }
    best = Math.min(best, ((performance.now() - begun) * 1e6) / ROUND_TRIPS)
  }
  return best
}

/**
 * Sleeps and wakes the other thread in turns. While virtual CPUs run, a host leaves them where they are; one that is woken by
 * another is run near it.
 */
function gather(): number {
  const [mine, theirs] = serves ? BELLS : ([BELLS[1], BELLS[0]] as const)
  const begun = performance.now()
  while (performance.now() - begun < GATHER_MS) {
    const heard = Atomics.load(words, mine)
    Atomics.add(words, theirs, 1)
    Atomics.notify(words, theirs)
    Atomics.wait(words, mine, heard, SLEEP_MS)
  }
  return performance.now() - begun
}

/** Spins until the other thread has stored the value. */
function meet(index: number, value: number, deadline: number): boolean {
  for (let spins = 1; Atomics.load(words, index) !== value; spins++) {
    if (spins % 100_000 === 0 && performance.now() > deadline) return false
  }
  return true
}
