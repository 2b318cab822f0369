import { ConfigError, type Problem, show } from 'dpdk-vhost'

/** One thing wrong with a configuration, or that is probably not meant, and where it stands. */
export interface ConfigProblem extends Problem {
  /** The file it stands in, as it was named: the configuration, or a file of flows that it names. */
  readonly file: string
  /** From 1; 0 where it is of the file as a whole. */
  readonly line: number
  /** From 1, in UTF-16 units; 0 where it is of the file as a whole. */
  readonly column: number
}

/** A place in a file. */
export type Place = Pick<ConfigProblem, 'file' | 'line' | 'column'>

/** A configuration that cannot be used. Its message is the whole report, one problem a line. */
export class ConfigFileError extends ConfigError {
  override readonly problems: readonly ConfigProblem[]

  /** @param problems - at least one */
  constructor(file: string, problems: readonly ConfigProblem[]) {
    super(file, problems)
    this.problems = problems
    this.message = problems.map(reportLine).join('\n')
  }
}

/** A problem as a line for people: `vswitch.yaml:12:5: ports[1].vlanMode = "acess" is not a choice; did you mean access?` */
export function reportLine({
  file,
  line,
  column,
  path,
  value,
  message,
  fix,
}: ConfigProblem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`
  const given = value === undefined ? '' : show(value)
  const what = [path, given].filter((part) => part !== '').join(' = ')
  return `${place}: ${[what, message].filter((part) => part !== '').join(' ')}; ${fix}`
}
