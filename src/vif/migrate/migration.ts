import { MigrationError } from './error.js'
import { Journal } from './journal.js'
import type { MigrationPlan, PlannedStep } from './plan.js'
import { type Means, stepOf } from './steps.js'

/** Told of each step as it begins: to be done, or to be undone. */
export type OnStep = (step: PlannedStep, direction: 'do' | 'undo') => void

/**
 * A plan that is carried out, step by step. A journal on disk knows how far it is and what was before, so that another process
 * can go on, or back.
 */
export class Migration {
  readonly #journal: Journal
  readonly #means: Means
  readonly #onStep: OnStep

  private constructor(journal: Journal, means: Means, onStep: OnStep) {
    this.#journal = journal
    this.#means = means
    this.#onStep = onStep
    const { switch: name } = journal.contents.plan
    if (name === means.side.name) return
    const text = `journal ${journal.file} is of a migration of ${name}, not of ${means.side.name}`
    throw new MigrationError('ERR_MIGRATION_JOURNAL', `${text}; name that switch`)
  }

  /**
   * @param file - its journal, which must not be of a migration that was begun and not undone
   * @throws {@link MigrationError} when something is in the way, or the journal is in use
   */
  static begin(
    plan: MigrationPlan,
    file: string,
    means: Means,
    onStep: OnStep = () => {},
  ): Migration {
    if (plan.blockers.length > 0) {
      const lines = plan.blockers.map(({ what, fix }) => `${what}; ${fix}`)
      throw new MigrationError('ERR_MIGRATION_BLOCKED', lines.join('\n'))
    }
    if (Journal.isOpen(file)) {
      const text = `journal ${file} is of a migration that was begun; resume or undo that one, or name another file`
      throw new MigrationError('ERR_MIGRATION_JOURNAL', text)
    }
    return new Migration(Journal.create(file, plan), means, onStep)
  }

  /** The one of a journal. @throws {@link MigrationError} when there is none */
  static open(file: string, means: Means, onStep: OnStep = () => {}): Migration {
    return new Migration(Journal.open(file), means, onStep)
  }

  get plan(): MigrationPlan {
    return this.#journal.contents.plan
  }

  /**
   * Carries out what is not done yet. When a step fails, what was done to the same machine is undone; machines that are
   * migrated stay so.
   *
   * @throws {@link MigrationError} `ERR_MIGRATION_STEP`
   */
  async run(): Promise<void> {
    this.#set('running')
    for (const [i, step] of this.plan.steps.entries()) {
      if (this.#record(i).state === 'done') continue
      try {
        await this.#do(i, step)
      } catch (error) {
        await this.#fail(i, step, error as Error)
      }
    }
    this.#set('ended')
  }

  /** Undoes every step, the last one first. @throws {@link MigrationError} naming the step that cannot be undone */
  async undo(): Promise<void> {
    this.#set('running')
    await this.#undo(() => true)
    this.#set('undone')
  }

  async #do(i: number, step: PlannedStep): Promise<void> {
    const record = this.#record(i)
    this.#onStep(step, 'do')
    const actions = stepOf(step, this.#means)
    // One that was begun has changed things already: what was before is in the journal.
    if (record.state !== 'begun') {
      record.before = await actions.before()
      record.state = 'begun'
      this.#journal.save()
    }
    await actions.do(record.before)
    record.state = 'done'
    this.#journal.save()
  }

  async #fail(i: number, step: PlannedStep, cause: Error): Promise<never> {
    this.#set('failed')
    const vm = vmOf(step)
    const isOfTheSame = (other: PlannedStep, at: number) =>
      vm === undefined ? at === i : vmOf(other) === vm
    let back = vm === undefined ? 'nothing else was changed' : `${vm} is as it was`
    try {
      await this.#undo(isOfTheSame)
    } catch (error) {
      back = `and going back failed: ${(error as Error).message}; \`undo\` tries again`
    }
    const text = `step ${i + 1}, ${step.what}: ${cause.message}; ${back}`
    throw new MigrationError('ERR_MIGRATION_STEP', text, { cause })
  }

  async #undo(isMeant: (step: PlannedStep, at: number) => boolean): Promise<void> {
    for (const [i, step] of [...this.plan.steps.entries()].reverse()) {
      const record = this.#record(i)
      if (!isMeant(step, i) || record.state === 'open' || record.state === 'undone') continue
      this.#onStep(step, 'undo')
      await stepOf(step, this.#means).undo(record.before)
      record.state = 'undone'
      this.#journal.save()
    }
  }

  #record(i: number) {
    return this.#journal.contents.steps[i] as Journal['contents']['steps'][number]
  }

  #set(state: Journal['contents']['state']): void {
    this.#journal.contents.state = state
    this.#journal.save()
  }
}

const vmOf = (step: PlannedStep) => ('vm' in step ? step.vm : undefined)
