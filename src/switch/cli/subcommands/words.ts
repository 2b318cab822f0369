/** What subcommands share: their forms, and the forms of their arguments. */
import { type Command, InvalidArgumentError, Option } from 'commander'

export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`
}

/** Makes a subcommand that prints, for people or for machines. */
export function printing(parent: Command, usage: string, description: string): Command {
  return parent.command(usage).description(description).option('--json', 'print JSON for machines')
}

/** A subcommand of subcommands; by itself it prints its help. */
export function group(
  program: Command,
  name: string,
  description: string,
  ...lines: string[]
): Command {
  return program
    .command(name)
    .description(description)
    .addHelpText('after', examples(...lines))
}

export const bridgeOption = () =>
  new Option('-b, --bridge <name>', 'the bridge, if there are several')

export function argumentsOf(first: string | undefined, rest: readonly string[]): string[] {
  return first === undefined ? [] : [first, ...rest]
}

/** A positive number of an option. */
export function positive(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (Number.isFinite(value) && value >= least && (least < 1 || Number.isInteger(value)))
      return value
    const kind = least < 1 ? 'a number' : 'a whole number'
    throw new InvalidArgumentError(`Give ${kind} from ${least} on.`)
  }
}

export function wholeNumber(text: string): number {
  if (/^[0-9]+$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is no whole number.')
}

export function octal(text: string): number {
  if (/^[0-7]{3,4}$/.test(text)) return Number.parseInt(text, 8)
  throw new InvalidArgumentError('Give permissions such as 3775.')
}
