import { resolve } from 'node:path'
import type { SwitchSpec } from '../spec.js'
import { type CheckedConfig, checkConfig } from './check.js'
import { readText } from './files.js'
import { ConfigFileError, reportLine } from './problem.js'

/**
 * Reads a configuration, YAML or JSON.
 *
 * @param warn - told of what can be but is probably not meant, a line each
 * @throws {@link ConfigFileError} with every problem; its message is the report
 */
export async function readConfig(
  path: string,
  warn: (line: string) => void = () => {},
): Promise<SwitchSpec> {
  const { spec, problems, warnings } = checkConfigFile(path)
  if (spec === undefined) throw new ConfigFileError(path, problems)
  for (const warning of warnings) warn(reportLine(warning))
  return spec
}

/** The same without the exception, and with the warnings. */
export function checkConfigFile(path: string): CheckedConfig {
  const read = readText(path)
  if ('text' in read) return checkConfig(read.text, { file: path })
  const problem = { file: path, line: 0, column: 0, path: '', value: undefined, ...read.trouble }
  return { spec: undefined, problems: [problem], warnings: [], files: [resolve(path)] }
}
