import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { UsageError } from './arguments.js'
import type { Conditions } from './conditions.js'
import type { Machine } from './machine.js'
import type { Effort, Section } from './section.js'

/**
 * What `--json` writes. The result of the section that is `atTop` (`rates`: `runs`, `ratios` and so on) stands beside
 * these keys. Names and shape stay when the bench grows: others compare old files with new ones.
 */
export interface Report {
  readonly machine: Machine
  readonly settings: Settings
  /** Why it ended early; undefined when it did not. */
  readonly interrupted?: string
  readonly sections: Readonly<Record<string, SectionReport>>
}

export interface Settings {
  readonly effort: Effort
  /** Whether it was a test of the bench itself, whose numbers mean nothing. */
  readonly smoke?: boolean
  readonly patienceSeconds: number
}

/** One section. Where there is neither `result` nor a place `atTop`, nothing was measured. */
export interface SectionReport {
  /** Time that it took. */
  readonly seconds: number
  readonly result?: unknown
  /** How the machine was meanwhile. */
  readonly conditions?: Conditions
  /** Why it has less than it should, or nothing. */
  readonly incomplete?: string
}

/** Puts the results where the JSON has them. */
export function toJson(report: Report, sections: readonly Section[]): Report {
  const own: Record<string, SectionReport> = {}
  let top: object = {}
  for (const [name, { result, ...rest }] of Object.entries(report.sections)) {
    const atTop = sections.find((section) => section.name === name)?.atTop === true
    if (atTop && result !== undefined) top = result as object
    own[name] = atTop || result === undefined ? rest : { ...rest, result }
  }
  const settings = { ...report.settings, ...('settings' in top ? (top.settings as object) : {}) }
  return { ...report, ...top, settings, sections: own }
}

/** The result of a section in a file, as `measure` gave it; undefined where there is none. */
export function resultOf(report: Report, section: Section): unknown {
  if (section.atTop === true) return 'runs' in report ? report : undefined
  return report.sections?.[section.name]?.result
}

/** Writes all or nothing. */
export function writeWhole(file: string, text: string): void {
  if (isSpecial(file)) {
    writeFileSync(file, text)
    return
  }
  const draft = `${file}.${process.pid}.part`
  writeFileSync(draft, text)
  renameSync(draft, file)
}

/** @throws UsageError */
export function readReport(option: string, file: string): Report {
  let report: unknown
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read'
    throw new UsageError(
      `${option}: '${file}' ${why} (${(error as Error).message}); give a file that --json wrote`,
    )
  }
  if (typeof report !== 'object' || report === null || !('machine' in report)) {
    throw new UsageError(
      `${option}: '${file}' has no machine and so is no report of the bench; give a file that --json wrote`,
    )
  }
  return { sections: {}, ...report } as Report
}

/** Whether a file can be written is found out before there is anything to lose. @throws UsageError */
export function checkWritable(option: string, file: string): void {
  const folder = dirname(file)
  if (!existsSync(folder)) {
    throw new UsageError(`${option}: '${file}': there is no folder '${folder}'; make it first`)
  }
  if (existsSync(file) && statSync(file).isDirectory()) {
    throw new UsageError(`${option}: '${file}' is a folder; give the path of a file`)
  }
  try {
    accessSync(isSpecial(file) ? file : folder, constants.W_OK)
  } catch (error) {
    throw new UsageError(
      `${option}: '${file}' cannot be written (${(error as Error).message}); give another path`,
    )
  }
}

/** A device or a pipe, which is not to be replaced. */
function isSpecial(file: string): boolean {
  return existsSync(file) && !statSync(file).isFile()
}
