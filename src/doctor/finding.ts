/** How bad it is. `error`: it will not work; `warning`: it works worse than it could; `note`: to know; `ok`: as it should be. */
export const SEVERITIES = ['ok', 'note', 'warning', 'error'] as const
export type Severity = (typeof SEVERITIES)[number]

/** One thing that was looked at. */
export interface Finding {
  /** What was looked at: `hugepages`, `memory lock`, ... */
  readonly check: string
  readonly severity: Severity
  /** What was found. */
  readonly seen: string
  /** Why it matters; for what is ok it may be left out. */
  readonly why?: string | undefined
  /** A command that mends it, or what to write where. */
  readonly fix?: string | undefined
}

/** The worst of all severities; `ok` when there are no findings. */
export function worst(findings: readonly Finding[]): Severity {
  return SEVERITIES[
    Math.max(0, ...findings.map(({ severity }) => SEVERITIES.indexOf(severity)))
  ] as Severity
}
