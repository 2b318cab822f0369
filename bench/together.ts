import type { Placement } from './calibration/placement.js'
import type { Contender } from './contender.js'
import { inTurns } from './in-turns.js'
import { type Sample, Sampling, WINDOW_MS } from './sample.js'
import type { SharedSetup } from './sockets.js'
import { Windows } from './windows.js'

/** Who is measured, with what. */
export interface Member {
  readonly contender: Contender
  readonly setup: SharedSetup
}

/** What is to be done meanwhile, when none of them runs. */
export interface Stages {
  /** Before a contender is started. */
  starting?(index: number): Promise<void>
  /** Before they take their turns. */
  measuring?(): Promise<void>
}

/** What becomes of one of them. */
class Turns implements AsyncDisposable {
  readonly #member: Member
  readonly #signal: AbortSignal
  #sampling: Sampling | undefined
  #result: PromiseSettledResult<Sample> | undefined

  constructor(member: Member, signal: AbortSignal) {
    this.#member = member
    this.#signal = signal
  }

  get result(): PromiseSettledResult<Sample> {
    return this.#result ?? { status: 'rejected', reason: new Error('it was never measured') }
  }

  start(before: () => Promise<void> | undefined): Promise<void> {
    const { contender, setup } = this.#member
    return this.#orFail(async () => {
      await before()
      this.#sampling = await Sampling.start(contender, setup, this.#signal)
    })
  }

  /** Asks one that has not failed. */
  wants(question: (sampling: Sampling) => boolean): boolean {
    return this.#sampling !== undefined && question(this.#sampling)
  }

  /** Does something with one that has not failed; one that fails has no more turns. */
  async attempt(work: (sampling: Sampling) => Promise<void>): Promise<void> {
    const sampling = this.#sampling
    if (sampling !== undefined) await this.#orFail(() => work(sampling))
  }

  /** Makes the sample, and ends the processes: the next is not to wait for them. */
  async end(count: number): Promise<void> {
    await this.attempt(async (sampling) => {
      this.#result = { status: 'fulfilled', value: await sampling.end(count) }
    })
    await this[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sampling = this.#sampling
    this.#sampling = undefined
    await sampling?.[Symbol.asyncDispose]()
  }

  async #orFail(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (reason) {
      // Whatever is aborted throws errors of its own.
      this.#signal.throwIfAborted()
      this.#result = { status: 'rejected', reason }
      await this[Symbol.asyncDispose]()
    }
  }
}

/**
 * Takes a sample of each under the same conditions: all are alive at once, and take their windows in turns, while the others
 * are stopped. What happens to the machine for longer than such a turn happens to all of them alike.
 *
 * @returns for each its sample, or why there is none: that one does not end the others
 * @throws the signal's reason when it is aborted
 */
export async function takeTogether(
  members: readonly Member[],
  milliseconds: number,
  placement: Placement,
  signal: AbortSignal,
  stages: Stages = {},
): Promise<PromiseSettledResult<Sample>[]> {
  const count = Math.max(1, Math.round(milliseconds / WINDOW_MS))
  const turns = members.map((member) => new Turns(member, signal))
  const windows = new Windows(placement, members.length)
  try {
    for (const [index, one] of turns.entries()) {
      await one.start(() => stages.starting?.(index))
    }
    await stages.measuring?.()
    for (const one of turns) await one.attempt((sampling) => sampling.settle())
    await inTurns(
      turns,
      (one) => one.wants((sampling) => sampling.wantsRate(count)),
      (one) => one.attempt((sampling) => sampling.takeRate(windows)),
    )
    await inTurns(
      turns,
      (one) => one.wants((sampling) => sampling.wantsCycles()),
      (one) => one.attempt((sampling) => sampling.takeCycles(windows)),
    )
    for (const one of turns) await one.end(count)
    return turns.map(({ result }) => result)
  } finally {
    for (const one of turns) await one[Symbol.asyncDispose]()
  }
}
