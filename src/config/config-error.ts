/** One thing wrong with an option. */
export interface Problem {
  /** Where: `path`, `ports[1]`, `other.key`; empty for the value as a whole. */
  readonly path: string
  /** What stood there; `undefined` when it is missing. */
  readonly value: unknown
  /** What is wrong with it, to be read after the path: `is a relative path`. */
  readonly message: string
  /** What to do about it. */
  readonly fix: string
}

/** Options that cannot be used. It names everything that is wrong with them, not only what was met first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'ERR_DPDK_VHOST_CONFIG'
  /** Every problem, in the order of the options. */
  readonly problems: readonly Problem[]

  /**
   * @param what - what the options are for: `port "vhost0"`
   * @param problems - at least one
   */
  constructor(what: string, problems: readonly Problem[]) {
    const lines = problems.map(describeProblem)
    super(
      lines.length === 1
        ? `${what}: ${lines[0]}`
        : [`${what}: ${lines.length} problems`, ...lines].join('\n  - '),
    )
    this.problems = problems
  }
}

/** A problem on one line: where, what is there, what is wrong with it, and what to do. */
export function describeProblem({ path, value, message, fix }: Problem): string {
  const given = value === undefined ? '' : show(value)
  return `${[path, given].filter((part) => part !== '').join(' = ')} ${message}; ${fix}`
}

/** A value as text for a message: short, on one line, whatever it is. */
export function show(value: unknown): string {
  let text: string
  try {
    text = typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? typeof value)
    if (typeof value === 'number') text = String(value)
  } catch {
    text = typeof value
  }
  return text.length > 160 ? `${text.slice(0, 157)}...` : text
}
