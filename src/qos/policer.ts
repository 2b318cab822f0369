import { type BucketTime, TokenBucket, type TokenRate } from './token-bucket.js'

/** What a meter says of a frame; the numbers are in the order of how much it may. */
export const Color = { green: 0, yellow: 1, red: 2 } as const

/**
 * How much may pass, in units of the caller's: bytes or frames. Which keys are there says which meter it is:
 *
 * | keys | meter |
 * |---|---|
 * | `cir`, `cbs` | one bucket: green or red |
 * | and `ebs` | single rate three colour marker (RFC 2697) |
 * | and `pir`, `pbs` | two rate three colour marker (RFC 2698) |
 * | and `eir`, `ebs` | two rate three colour marker of RFC 4115, as OVS's `trtcm-policer` |
 */
export interface PolicerOptions {
  /** Committed information rate: units a second. */
  readonly cir: number
  /** Committed burst size: units at once. */
  readonly cbs: number
  /** Peak information rate; with it comes `pbs`. What is above is red, what is above `cir` yellow. */
  readonly pir?: number | undefined
  /** Peak burst size. */
  readonly pbs?: number | undefined
  /** Excess information rate, on top of `cir`; with it comes `ebs`. */
  readonly eir?: number | undefined
  /** Excess burst size. Without `eir` it is filled by what `cbs` has no room for. */
  readonly ebs?: number | undefined
}

/**
 * One lcore's view of a meter whose buckets several lcores share: tells the colour of each frame, and takes its tokens.
 * For each burst: `open`, `color` or `pass` for each frame, `close`.
 *
 * ```ts
 * const words = new Int32Array(new SharedArrayBuffer(Policer.WORDS * 4))
 * const policer = new Policer(words, 0, { cir: 12_500_000, cbs: 125_000 }) // 100 Mbit/s
 * const time = new BucketTime()
 *
 * function program(burst: Burst) {
 *   time.set(burst.now)
 *   policer.open(time)
 *   for (let i = 0; i < burst.count; i++) if (policer.pass(burst.length[i])) burst.outPort[i] = out
 *   policer.close()
 * }
 * ```
 */
export class Policer {
  /** Words of memory that a policer takes; zeroes are full buckets. */
  static readonly WORDS = 2 * TokenBucket.WORDS

  readonly #committed: TokenBucket
  /** Of the peak rate, or of the excess. */
  readonly #other: TokenBucket | undefined
  readonly #isPeak: boolean
  /** What the committed bucket has no room for goes to the other, which is so many times as large. */
  readonly #spill: number

  /**
   * @param words - shared memory
   * @param at - index of the policer's first word
   * @throws RangeError for rates that do not go together, or are not above 0
   */
  constructor(words: Int32Array, at: number, options: PolicerOptions) {
    const { cir, cbs, ebs } = options
    const trouble = policerTrouble(options)
    if (trouble !== undefined) throw new RangeError(`${trouble.key} ${trouble.message}`)
    this.#committed = new TokenBucket(words, at, { rate: cir, burst: cbs })
    const other = otherRate(options)
    if (other !== undefined) {
      this.#other = new TokenBucket(words, at + TokenBucket.WORDS, other)
    }
    this.#isPeak = options.pir !== undefined
    this.#spill = options.eir === undefined && ebs !== undefined ? cbs / ebs : 0
  }

  /**
   * @param time - the same clock for all lcores
   * @param expected - units that will be asked for, if that is known
   */
  open(time: BucketTime, expected = 0): void {
    const committed = this.#committed
    const other = this.#other
    committed.open(time, expected)
    if (other === undefined) return
    other.open(time, this.#isPeak ? expected : 0)
    if (this.#spill > 0) this.#spillOver()
  }

  /**
   * The colour of a frame. Green and yellow ones have taken their tokens.
   *
   * @param amount - bytes of the frame, or 1 where frames are counted
   * @param before - the colour that another meter gave it: it does not get a better one
   */
  color(amount: number, before: number = Color.green): number {
    const other = this.#other
    if (this.#isPeak) {
      if (before === Color.red || !(other as TokenBucket).take(amount)) return Color.red
      return before === Color.green && this.#committed.take(amount) ? Color.green : Color.yellow
    }
    if (before === Color.green && this.#committed.take(amount)) return Color.green
    return before !== Color.red && other?.take(amount) === true ? Color.yellow : Color.red
  }

  /** Whether a frame may pass: whether it is not red. */
  pass(amount: number): boolean {
    return this.color(amount) !== Color.red
  }

  /**
   * Whether so much is green, all of it together; if not, nothing was taken. Needs neither `open` nor `close`, and mostly no
   * shared memory: see {@link TokenBucket.takeAll}.
   */
  passAll(time: BucketTime, amount: number): boolean {
    if (this.#other === undefined) return this.#committed.takeAll(time, amount)
    return this.#passAllOfTwo(time, amount)
  }

  /** Takes back what a frame of that colour took: another policer refused it. */
  giveBack(amount: number, color: number): void {
    if (color === Color.red) return
    if (color === Color.green) this.#committed.giveBack(amount)
    if (color === Color.yellow || this.#isPeak) this.#other?.giveBack(amount)
  }

  /** Ends the work on a burst. */
  close(): void {
    this.#committed.close()
    this.#other?.close()
  }

  #passAllOfTwo(time: BucketTime, amount: number): boolean {
    if (this.#spill > 0) return this.#passAllSpilling(time, amount)
    const peak = this.#isPeak ? (this.#other as TokenBucket) : undefined
    if (peak !== undefined && !peak.takeAll(time, amount)) return false
    if (this.#committed.takeAll(time, amount)) return true
    peak?.giveBack(amount)
    return false
  }

  /** What there is no room for has to be known of each burst. */
  #passAllSpilling(time: BucketTime, amount: number): boolean {
    this.open(time, amount)
    const isGreen = this.#committed.take(amount)
    this.close()
    return isGreen
  }

  #spillOver(): void {
    const committed = this.#committed
    committed.settle()
    if (committed.spilled === 0) return
    this.#other?.add(committed.spilled * this.#spill)
    committed.spilled = 0
  }
}

function otherRate({ ebs, eir, pir, pbs }: PolicerOptions): TokenRate | undefined {
  if (pir !== undefined) return { rate: pir, burst: pbs as number }
  // Without a rate of its own it is filled by what the other has no room for.
  return ebs === undefined ? undefined : { rate: eir ?? 0, burst: ebs }
}

/** What keeps options from being a policer: a key, what is wrong with it, and what to do. */
export function policerTrouble(
  options: PolicerOptions,
): { key: keyof PolicerOptions; message: string; fix: string } | undefined {
  const { cir, pir, pbs, eir, ebs } = options
  const needs = (key: keyof PolicerOptions, other: keyof PolicerOptions) => ({
    key,
    message: `is missing beside ${other}`,
    fix: `give ${key}, or leave out ${other}`,
  })
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || value > 0) continue
    const message = `is ${value}`
    return { key: key as keyof PolicerOptions, message, fix: 'give more than 0' }
  }
  if (pir !== undefined && pbs === undefined) return needs('pbs', 'pir')
  if (pbs !== undefined && pir === undefined) return needs('pir', 'pbs')
  if (eir !== undefined && ebs === undefined) return needs('ebs', 'eir')
  if (pir !== undefined && ebs !== undefined)
    return {
      key: eir === undefined ? 'ebs' : 'eir',
      message: 'cannot be given beside pir',
      fix: 'give pir and pbs for RFC 2698, eir and ebs for RFC 4115, or ebs alone for RFC 2697',
    }
  if (pir !== undefined && pir < cir)
    return { key: 'pir', message: `is below cir (${cir})`, fix: `give at least ${cir}` }
  return undefined
}
