/** Reading options of the command line. */
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Something is wrong with the command line. */
export class UsageError extends Error {}

/**
 * @param values - options that take a value
 * @param flags - options that take none; `--help` is always known
 * @throws {@link UsageError} for anything else
 */
export function parseFlags<V extends string, F extends string>(
  args: readonly string[],
  values: readonly V[],
  flags: readonly F[],
): { [K in V]?: string } & { [K in F | 'help']?: boolean } {
  const options = Object.fromEntries<ParseArgsOption>([
    ...values.map((name) => [name, { type: 'string' }] as const),
    ...flags.map((name) => [name, { type: 'boolean' }] as const),
    ['help', { type: 'boolean', short: 'h' }],
  ])
  try {
    return parseArgs({ args: [...args], options }).values as ReturnType<typeof parseFlags<V, F>>
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

type ParseArgsOption = NonNullable<ParseArgsConfig['options']>[string]

export function one<T extends string>(option: string, value: string, known: readonly T[]): T {
  const found = known.find((name) => name === value)
  if (found === undefined) {
    throw new UsageError(`${option}: '${value}' is none of ${known.join(', ')}`)
  }
  return found
}

/** Those named, in the order of `known`; all when none is named. */
export function pick<T extends string>(
  option: string,
  list: string | undefined,
  known: readonly T[],
): T[] {
  if (list === undefined) return [...known]
  const named = list.split(',').map((name) => one(option, name.trim(), known))
  return known.filter((name) => named.includes(name))
}

/** As {@link pick}, of things that have names. */
export function pickNamed<T extends { readonly name: string }>(
  option: string,
  list: string | undefined,
  known: readonly T[],
): T[] {
  const names = pick(
    option,
    list,
    known.map(({ name }) => name),
  )
  return known.filter(({ name }) => names.includes(name))
}

export function number(
  option: string,
  value: string | undefined,
  fallback: number,
  least: number,
  most: number,
  whole = true,
): number {
  if (value === undefined) return fallback
  const result = Number(value)
  if (!(result >= least && result <= most) || (whole && !Number.isInteger(result))) {
    const kind = whole ? 'a whole number' : 'a number'
    throw new UsageError(`${option}: '${value}' is not ${kind} from ${least} to ${most}`)
  }
  return result
}

export function cpuPair(value: string | undefined): readonly [number, number] | undefined {
  if (value === undefined) return undefined
  const match = value.match(/^(\d+),(\d+)$/)
  if (match === null) throw new UsageError(`--cpus: '${value}' is not two numbers such as 2,3`)
  return [Number(match[1]), Number(match[2])]
}
