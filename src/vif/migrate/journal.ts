import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { MigrationError } from './error.js'
import type { MigrationPlan } from './plan.js'

/** How far a step has come, and what was there before it, for the way back. */
export interface StepRecord {
  state: 'open' | 'begun' | 'done' | 'undone'
  before?: unknown
}

/** What a migration keeps on disk. */
export interface JournalContents {
  readonly version: 1
  readonly plan: MigrationPlan
  /** `ended`: every step is done. */
  state: 'running' | 'failed' | 'ended' | 'undone'
  readonly steps: StepRecord[]
}

/** A file that is always whole: what is on disk is from before or from after a change. */
export class Journal {
  private constructor(
    readonly file: string,
    readonly contents: JournalContents,
  ) {}

  /** Whether there is one whose migration has begun and was not undone. */
  static isOpen(file: string): boolean {
    return existsSync(file) && Journal.open(file).contents.state !== 'undone'
  }

  static create(file: string, plan: MigrationPlan): Journal {
    const steps = plan.steps.map((): StepRecord => ({ state: 'open' }))
    const journal = new Journal(file, { version: 1, plan, state: 'running', steps })
    mkdirSync(dirname(file), { recursive: true })
    journal.save()
    return journal
  }

  /** @throws {@link MigrationError} `ERR_MIGRATION_JOURNAL` */
  static open(file: string): Journal {
    let contents: JournalContents
    try {
      contents = JSON.parse(readFileSync(file, 'utf8')) as JournalContents
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const why = code === 'ENOENT' ? 'there is none: no migration was begun here' : message
      throw new MigrationError('ERR_MIGRATION_JOURNAL', `journal ${file}: ${why}`, { cause: error })
    }
    if (contents?.version !== 1 || contents.plan?.steps?.length !== contents.steps?.length) {
      const text = `journal ${file} is of something else; name the one of the migration with --journal`
      throw new MigrationError('ERR_MIGRATION_JOURNAL', text)
    }
    return new Journal(file, contents)
  }

  save(): void {
    const file = `${this.file}.new`
    // The XML in it may hold passwords.
    const descriptor = openSync(file, 'w', 0o600)
    try {
      writeSync(descriptor, `${JSON.stringify(this.contents, undefined, 2)}\n`)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(file, this.file)
  }
}
