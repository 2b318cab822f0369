import type { Memory } from './memory.js'
import type { Cpus } from './setup.js'

/** How much time there is: two minutes in all, a quarter of an hour, or as long as it takes to measure everything. */
export type Effort = 'quick' | 'usual' | 'full'

/** What every section measures with. */
export interface Context {
  readonly effort: Effort
  readonly cpus: Cpus
  readonly memory: Memory
  /** Seconds to wait, before each turn, for both CPUs to be free. */
  readonly patienceSeconds: number
  readonly signal: AbortSignal
  /** Seconds after which it is stopped, in a bench that has promised to be done by some time. */
  readonly seconds?: number | undefined
  /** A test: the shortest form that does everything once, in seconds. Its numbers mean nothing. Goes before `effort`. */
  readonly smoke?: boolean
  /** Contenders asked for by `--only`, of {@link Section.contenders}; without it all that can be run are. */
  readonly only?: readonly string[] | undefined
  /** Values given for {@link Section.options}, by the option's name. */
  readonly options?: Readonly<Record<string, string>>
  /**
   * Leaves what was measured so far, in the form of a whole result: that is what remains when the bench is stopped.
   * To be called after each round, or more often.
   */
  keep?(result: unknown): void
  /** Tells of a part that is missing in the result, and why: the section goes on without it. */
  lose(what: string): void
  /** Says what is being measured, and the share of the section that is done, 0 to 1. */
  progress(what: string, done: number): void
  /** Says something that stays on the screen. */
  say(what: string): void
}

/**
 * A part of the bench that answers one question: how many frames a second, how late, how soon after a restart. Its
 * result is plain data, and goes into the JSON under its name; everything shown is made from that data alone, so a
 * page can be made again from the JSON of an old run.
 */
export interface Section<Result = unknown> {
  /** Its word on the command line (`npm run bench -- NAME`) and its key in the JSON. */
  readonly name: string
  /** What it answers, as a heading. */
  readonly title: string
  /** Expected time; what was asked for may make it shorter. */
  seconds(effort: Effort, asked?: Asked): number
  /** What takes turns in it, for `--only`. */
  readonly contenders?: readonly { readonly name: string; readonly what: string }[]
  /** Options of its own on the command line. */
  readonly options?: readonly Option[]
  /**
   * Looks at what was asked for before anything is measured.
   *
   * @throws UsageError naming option, value and fix; Error that says what is not installed and how to get it
   */
  check?(asked: Asked): void
  /** Whether the keys of its result are at the top of the JSON, for readers that are older than sections. */
  readonly atTop?: boolean
  /** @throws the signal's reason when it is aborted; it leaves nothing behind */
  measure(context: Context): Promise<Result>
  /** What is shown, on the terminal and on the page alike. */
  show(result: Result): Exhibit[]
  /** What `--compare` compares, and what tests look at. */
  figures(result: Result): Figure[]
}

/** What the command line says to a section. */
export type Asked = Pick<Context, 'effort' | 'smoke' | 'only' | 'options'>

/** An option of a section; it takes a value. */
export interface Option {
  /** Without its dashes. */
  readonly name: string
  /** What stands for its value in the help: `N`, `A,B`. */
  readonly value: string
  readonly what: string
}

export type Exhibit = Table | Plot | Note

export interface Table {
  readonly kind: 'table'
  readonly title: string
  /** First the row of headings. The first column is text, the others are numbers as they are to be printed. */
  readonly rows: readonly (readonly string[])[]
}

export interface Plot {
  readonly kind: 'plot'
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
}

export interface Axis {
  /** With its unit. */
  readonly label: string
  /** `percentile` is for shares in percent up to 100: 90, 99, 99.9 and so on are equally far apart. */
  readonly scale?: 'linear' | 'log' | 'percentile'
  /** Names of the places on an axis that has no numbers: point `x` is an index into these. */
  readonly names?: readonly string[]
}

export interface Series {
  readonly name: string
  readonly points: readonly Point[]
}

export interface Point {
  readonly x: number
  readonly y: number
  /** The spread, where there is one. */
  readonly low?: number
  readonly high?: number
}

/** A sentence under tables and plots. A caveat is one the reader must not miss. */
export interface Note {
  readonly kind: 'note'
  readonly text: string
  readonly caveat?: boolean
}

/** One number with its spread over rounds. */
export interface Figure {
  /** What it is of, unique in the section: `ts-io@split@64 mpps`. */
  readonly key: string
  readonly value: number
  readonly unit: string
  readonly low?: number
  readonly high?: number
  readonly better: 'more' | 'less'
}
