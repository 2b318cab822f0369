import { setTimeout as delay } from 'node:timers/promises'
import { type Datapath, DatapathError, type Lcore, PreparedProgram } from 'dpdk-vhost'
import type { LcoreMessage, SwitchImage } from '../image.js'
import type { LcoreSpec } from '../spec.js'
import type { SwitchLog } from './log.js'

/** A name and not a place, since bundles lie elsewhere. */
const PROGRAM = new URL(import.meta.resolve('#switch-program'))

/** An lcore that ended by itself is started again after the first of these times, doubled each time it ends again soon. */
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000
/** To start may take as long as so many answers: a Worker begins, and all rules are compiled. */
const START_ANSWERS = 3
/** An lcore that ran for so long is in good health. */
const HEALTHY_MS = 30_000
/** An lcore that is to run, whether it does at this moment or not. */
interface Member {
  readonly spec: LcoreSpec
  /** The lcore that runs or is being started; undefined while it cannot be. */
  lcore: Promise<Lcore | undefined>
  pause: number
  startedAt: number
  /** Ends the pause before it is started again. */
  wake(): void
}

/** Programs of lcores that are to start, by the names of these. */
export type PreparedLcores = Map<string, PreparedProgram>

/** Lets the first lcores load their program while the datapath opens. */
export function prepareLcores(specs: readonly LcoreSpec[]): PreparedLcores {
  return new Map(specs.map(({ name }) => [name, new PreparedProgram(PROGRAM, name)]))
}

/** Ends those that have not become lcores. */
export async function closePrepared(prepared: PreparedLcores): Promise<void> {
  await Promise.all(Array.from(prepared.values(), (program) => program.close()))
}

/**
 * The lcores of the switch. All of them know the same: one that starts is handed the images of that moment, and what is
 * told to all meanwhile it hears right after.
 */
export class Lcores {
  readonly #datapath: Datapath
  readonly #image: () => SwitchImage
  readonly #log: SwitchLog
  readonly #answerMs: number
  readonly #programs: () => string
  readonly #prepared: PreparedLcores
  /** Whose program did not return: they end by that. */
  readonly #stuck = new Set<string>()
  readonly #members = new Map<string, Member>()
  readonly #closing = new AbortController()

  /**
   * @param image - what an lcore is to know that starts now
   * @param answerMs - an lcore that does not answer for so long is taken for stuck
   * @param programs - the programs of users that lcores run, as text; empty if there are none
   * @param prepared - what was prepared for the first lcores
   */
  constructor(
    datapath: Datapath,
    image: () => SwitchImage,
    log: SwitchLog,
    answerMs: number,
    programs: () => string,
    prepared: PreparedLcores,
  ) {
    this.#prepared = prepared
    this.#answerMs = answerMs
    this.#programs = programs
    this.#datapath = datapath
    this.#image = image
    this.#log = log
    datapath.on('lcore', ({ lcore, state, reason }) => {
      const member = this.#members.get(lcore)
      if (state === 'ended' && reason !== undefined && member !== undefined)
        this.#restart(member, this.#stuck.delete(lcore) ? this.#withPrograms(reason) : reason)
    })
    // Not a user's program, which is put aside by itself: ours, and with it the lcore's bridges.
    datapath.on('program', ({ lcore, problem }) => {
      const member = this.#members.get(lcore)
      if (problem === 'stuck') this.#stuck.add(lcore)
      if (problem === 'aside' && member !== undefined)
        void this.#replace(member, 'its program was put aside')
    })
  }

  /** In the order they were added. */
  get specs(): LcoreSpec[] {
    return [...this.#members.values()].map(({ spec }) => spec)
  }

  /** Starts an lcore. @throws DatapathError as `Datapath.launch` */
  async add(spec: LcoreSpec): Promise<void> {
    const member: Member = {
      spec,
      lcore: Promise.resolve(undefined),
      pause: FIRST_PAUSE_MS,
      startedAt: 0,
      wake: () => {},
    }
    const lcore = this.#launch(member)
    member.lcore = lcore.catch(() => undefined)
    this.#members.set(spec.name, member)
    try {
      await lcore
    } catch (error) {
      this.#members.delete(spec.name)
      throw error
    }
  }

  /** Ends an lcore; others poll its queues from then on. */
  async remove(name: string): Promise<void> {
    const member = this.#members.get(name)
    this.#members.delete(name)
    const lcore = await member?.lcore
    await lcore?.stop()
  }

  /**
   * Tells all lcores something and resolves to their answers when all have answered. What they are told arrives in the
   * order of the calls. An lcore that is to start again is left out: it starts with what is true then, and at once when
   * that is another bridge, which may be what it could not run with.
   *
   * @throws what the first lcore that refuses throws, after all have answered; where none does, DatapathError
   * `ERR_CLOSED` or `ERR_TIMEOUT` when one ended or is stuck instead, as it may have done because of what it was told
   */
  async tell(message: LcoreMessage): Promise<unknown[]> {
    const answers = await Promise.allSettled(
      [...this.#members.values()].map((member) => this.#ask(member, message)),
    )
    if (message.type === 'bridge') for (const { wake } of this.#members.values()) wake()
    const errors = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason as unknown] : [],
    )
    if (errors.length > 0) throw errors.find((error) => !isLost(error)) ?? errors[0]
    return answers.map((answer) => (answer as PromiseFulfilledResult<unknown>).value)
  }

  /** Asks the first lcore that runs. @throws DatapathError `ERR_LCORE` when none does */
  async ask(message: LcoreMessage): Promise<unknown> {
    for (const member of this.#members.values()) {
      if ((await member.lcore) !== undefined) return this.#ask(member, message)
    }
    throw new DatapathError('ERR_LCORE', 'no lcore runs at the moment; try again')
  }

  /** Starts no lcore again from now on. They end with the datapath. */
  close(): void {
    this.#closing.abort()
  }

  async #ask(member: Member, message: LcoreMessage): Promise<unknown> {
    const lcore = await member.lcore
    if (lcore === undefined) return undefined
    const late = new AbortController()
    const tooLate = async () => {
      await delay(this.#answerMs, undefined, { signal: late.signal })
      const reason = `it did not answer for ${this.#answerMs / 1000} s`
      // Somebody else may have found out before, and be about to end it.
      const isEnding = this.#stuck.has(member.spec.name) || (await member.lcore) !== lcore
      if (!isEnding) void this.#replace(member, this.#withPrograms(reason))
      throw new DatapathError('ERR_TIMEOUT', `lcore ${lcore.name}: ${reason}`)
    }
    try {
      return await Promise.race([lcore.call(message), tooLate()])
    } finally {
      late.abort()
    }
  }

  /** Ours return: who looks for what does not is to look there first. */
  #withPrograms(reason: string): string {
    const programs = this.#programs()
    return programs === '' ? reason : `${reason}; lcores run ${programs}`
  }

  /** Ends an lcore that is of no use any more, and starts it again. */
  async #replace(member: Member, reason: string): Promise<void> {
    const { lcore } = member
    const over = () =>
      this.#members.get(member.spec.name) !== member || this.#closing.signal.aborted
    if (over()) return
    member.lcore = lcore.then((running) => running?.stop()).then(() => undefined)
    await member.lcore
    if (!over()) this.#restart(member, reason)
  }

  /** @throws also when it takes too long, as when a program never ends to load */
  async #launch(member: Member): Promise<Lcore> {
    member.startedAt = performance.now()
    // The image is cloned before this waits for anything; see the class.
    const { name } = member.spec
    const program = this.#prepared.get(name) ?? PROGRAM
    this.#prepared.delete(name)
    const lcore = this.#datapath.launch(program, {
      ...member.spec,
      data: this.#image(),
      // It is to start with what is true then: see #restart.
      onStuck: 'end',
    })
    const limit = START_ANSWERS * this.#answerMs
    const late = new AbortController()
    const tooLate = async () => {
      await delay(limit, undefined, { signal: late.signal })
      lcore.then((running) => running.stop()).catch(() => {})
      throw new DatapathError('ERR_TIMEOUT', `lcore ${name} did not start in ${limit / 1000} s`)
    }
    try {
      return await Promise.race([lcore, tooLate()])
    } finally {
      late.abort()
    }
  }

  #restart(member: Member, reason: string): void {
    if (this.#closing.signal.aborted) return
    const { name } = member.spec
    if (performance.now() - member.startedAt > HEALTHY_MS) member.pause = FIRST_PAUSE_MS
    const pause = member.pause
    member.pause = Math.min(2 * pause, LONGEST_PAUSE_MS)
    this.#log.error(`lcore ${name} ended: ${reason}`, {
      event: 'lcore_ended',
      lcore: name,
      reason,
      againInMs: pause,
    })
    member.lcore = Promise.resolve(undefined)
    void this.#launchAfter(member, pause)
  }

  async #launchAfter(member: Member, pause: number): Promise<void> {
    const { signal } = this.#closing
    const { name } = member.spec
    const woken = new AbortController()
    member.wake = () => woken.abort()
    await delay(pause, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(
      () => {},
    )
    if (this.#members.get(name) !== member || signal.aborted) return
    const lcore = this.#launch(member)
    member.lcore = lcore.catch(() => undefined)
    try {
      await lcore
      this.#log.info(`lcore ${name} runs again`, { event: 'lcore_started', lcore: name })
    } catch (error) {
      const why = error instanceof DatapathError ? error.message : String(error)
      const reason = this.#withPrograms(`it did not start: ${why}`)
      if (this.#members.get(name) === member) this.#restart(member, reason)
    }
  }
}

/** Whether an lcore ended, or did not answer, instead of refusing. */
export function isLost(error: unknown): boolean {
  return (
    error instanceof DatapathError && (error.code === 'ERR_CLOSED' || error.code === 'ERR_TIMEOUT')
  )
}
