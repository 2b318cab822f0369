/** Colours, held against the algorithms of RFC 2697, 2698 and 4115 as they stand there. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BucketTime, Color, Policer, type PolicerOptions } from '../../src/qos/index.js'
import { Random, seeds } from '../headers/random.js'

const START = 987_654_321
const memory = () => new Int32Array(new SharedArrayBuffer(4 * Policer.WORDS))
const time = new BucketTime()

function openAt(policer: Policer, now: number, expected = 0): void {
  time.set(now)
  policer.open(time, expected)
}

/** The RFCs' buckets in fractions, for one lcore. */
class Reference {
  #committed: number
  #other: number
  #at = START

  constructor(readonly options: PolicerOptions) {
    this.#committed = options.cbs
    this.#other = options.pbs ?? options.ebs ?? 0
  }

  at(now: number): void {
    const { cir, cbs, ebs = 0, pir, pbs = 0, eir } = this.options
    const seconds = (now - this.#at) / 1000
    this.#at = now
    const sum = this.#committed + cir * seconds
    this.#committed = Math.min(cbs, sum)
    if (pir !== undefined) this.#other = Math.min(pbs, this.#other + pir * seconds)
    else if (eir !== undefined) this.#other = Math.min(ebs, this.#other + eir * seconds)
    else this.#other = Math.min(ebs, this.#other + sum - this.#committed)
  }

  /** Undefined where a bucket is so near to the size of the frame that rounding decides. */
  color(bytes: number, before: number): number | undefined {
    const near = (tokens: number) => Math.abs(tokens - bytes) < 0.5
    if (near(this.#committed) || near(this.#other)) return undefined
    const { pir } = this.options
    if (pir !== undefined) {
      if (before === Color.red || this.#other < bytes) return Color.red
      this.#other -= bytes
      if (before === Color.yellow || this.#committed < bytes) return Color.yellow
      this.#committed -= bytes
      return Color.green
    }
    if (before === Color.green && this.#committed >= bytes) {
      this.#committed -= bytes
      return Color.green
    }
    if (before === Color.red || this.#other < bytes) return Color.red
    this.#other -= bytes
    return Color.yellow
  }

  /** As the other one decided, where rounding does. */
  follow(bytes: number, color: number): void {
    if (color === Color.green) this.#committed -= bytes
    if (color === Color.yellow || (color === Color.green && this.options.pir !== undefined))
      this.#other -= bytes
  }
}

const meters: [string, PolicerOptions][] = [
  ['one bucket', { cir: 125_000, cbs: 10_000 }],
  ['srTCM, RFC 2697', { cir: 125_000, cbs: 6000, ebs: 20_000 }],
  ['srTCM with a small excess burst', { cir: 125_000, cbs: 20_000, ebs: 1600 }],
  ['trTCM, RFC 2698', { cir: 60_000, cbs: 8000, pir: 125_000, pbs: 12_000 }],
  ['trTCM, RFC 4115', { cir: 60_000, cbs: 8000, eir: 65_000, ebs: 5000 }],
]

describe('colours are those of', () => {
  for (const [name, options] of meters) {
    for (const [seed, aware] of seeds().flatMap((one) => [
      [one, false],
      [one, true],
    ]) as [number, boolean][]) {
      test(`${name}, ${aware ? 'colour-aware' : 'colour-blind'}, seed ${seed}`, () => {
        const random = new Random(seed)
        const policer = new Policer(memory(), 0, options)
        const reference = new Reference(options)
        const seen = [0, 0, 0]
        let undecided = 0
        let now = START
        for (let round = 0; round < 20_000; round++) {
          // Loads above and below the rate, and pauses.
          now += random.pick([0, 0.01, 1, 5, 5, 20, 300]) * (random.below(1000) / 1000)
          openAt(policer, now, random.pick([0, 3000]))
          // As exact as the clock of the buckets.
          reference.at(Math.floor(now * 65_536) / 65_536)
          for (let i = random.below(5); i > 0; i--) {
            const bytes = random.pick([46, 500, 1500])
            const before = aware ? random.below(3) : Color.green
            const color = policer.color(bytes, before)
            const expected = reference.color(bytes, before)
            if (expected === undefined) {
              reference.follow(bytes, color)
              undecided++
            } else {
              assert.equal(color, expected, `frame ${i} of round ${round}, ${now}`)
            }
            seen[color] = (seen[color] as number) + 1
          }
          policer.close()
        }
        assert.ok(undecided < 500, `${undecided} undecided`)
        assert.ok((seen[Color.green] as number) > 500 && (seen[Color.red] as number) > 500)
        if (options.pir !== undefined || options.ebs !== undefined)
          assert.ok((seen[Color.yellow] as number) > 200, String(seen))
      })
    }
  }
})

describe('a policer', () => {
  test('is full at first: what is green and what is yellow', () => {
    for (const [, options] of meters) {
      const policer = new Policer(memory(), 0, options)
      openAt(policer, START)
      const colors: number[] = []
      for (let i = 0; i < 400; i++) colors.push(policer.color(100))
      const { cbs, ebs = 0, pbs } = options
      const green = cbs / 100
      const yellow = (pbs === undefined ? ebs : pbs - cbs) / 100
      assert.equal(colors.filter((one) => one === Color.green).length, green)
      assert.equal(colors.filter((one) => one === Color.yellow).length, yellow)
    }
  })

  test('all at once is green or takes nothing, and what is given back is there again', () => {
    for (const [, options] of meters) {
      const policer = new Policer(memory(), 0, options)
      openAt(policer, START, options.cbs)
      assert.equal(policer.passAll(time, options.cbs + 100), false)
      assert.equal(policer.passAll(time, options.cbs), true)
      assert.notEqual(policer.color(100), Color.green)
      policer.giveBack(options.cbs, Color.green)
      assert.equal(policer.color(options.cbs), Color.green)
      policer.close()
    }
  })

  const shared: [string, PolicerOptions, number][] = [
    ['green of RFC 2698', { cir: 50_000, cbs: 20_000, pir: 125_000, pbs: 30_000 }, 50_000],
    ['green of RFC 2697', { cir: 125_000, cbs: 20_000, ebs: 20_000 }, 125_000],
  ]
  for (const [name, options, rate] of shared) {
    test(`lcores together get the rates: ${name}`, () => {
      const words = memory()
      const random = new Random(3)
      const views = [1, 2, 3].map(() => new Policer(words, 0, options))
      let now = START
      const passed = [0, 0, 0]
      for (let i = 0; i < 100_000; i++) {
        now += random.below(1000) / 250
        const policer = random.pick(views)
        openAt(policer, now, random.pick([0, 5 * 900]))
        for (let n = 0; n < 5; n++) {
          const color = policer.color(900)
          passed[color] = (passed[color] as number) + 900
        }
        policer.close()
      }
      const seconds = (now - START) / 1000
      const green = passed[Color.green] as number
      const slack = options.cbs + 900 + rate * 0.01
      assert.ok(Math.abs(green - rate * seconds) <= slack, `${green} of ${rate * seconds}`)
      if (options.pir === undefined) return
      const both = green + (passed[Color.yellow] as number)
      const peak = options.pir * seconds
      assert.ok(Math.abs(both - peak) <= (options.pbs ?? 0) + 900 + 1250, `${both} of ${peak}`)
    })
  }

  for (const [options, message] of [
    [{ cir: 0, cbs: 1 }, /cir is 0/],
    [{ cir: 1, cbs: Number.NaN }, /cbs is NaN/],
    [{ cir: 1, cbs: 1, pir: 2 }, /pbs is missing beside pir/],
    [{ cir: 1, cbs: 1, pbs: 2 }, /pir is missing beside pbs/],
    [{ cir: 1, cbs: 1, eir: 2 }, /ebs is missing beside eir/],
    [{ cir: 3, cbs: 1, pir: 2, pbs: 1 }, /pir is below cir/],
    [{ cir: 1, cbs: 1, pir: 2, pbs: 1, ebs: 1 }, /ebs cannot be given beside pir/],
  ] as const) {
    test(`cannot have ${JSON.stringify(options)}`, () => {
      assert.throws(() => new Policer(memory(), 0, options), message)
    })
  }
})
