/** Reading options of the command line. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { nearest } from '../src/config/index.js'

/** Something is wrong with the command line. */
export class UsageError extends Error {}

export interface Parsed {
  /** Words without a dash, in their order. */
  readonly words: readonly string[]
  readonly values: Readonly<Record<string, string>>
  readonly flags: ReadonlySet<string>
}

/**
 * @param values - options that take a value
 * @param flags - options that take none
 * @throws {@link UsageError} for anything else
 */
export function parseFlags(
  args: readonly string[],
  values: readonly string[],
  flags: readonly string[],
): Parsed {
  const options = Object.fromEntries<ParseArgsOption>([
    ...values.map((name) => [name, { type: 'string' }] as const),
    ...flags.map((name) => [name, { type: 'boolean' }] as const),
  ])
  const words: string[] = []
  const given: Record<string, string> = {}
  const set = new Set<string>()
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    if (values.includes(name)) {
      if (value === undefined || value === '' || (value.startsWith('-') && !token.inlineValue)) {
        throw new UsageError(`${rawName} needs a value: ${rawName} VALUE`)
      }
      given[name] = value
    } else if (flags.includes(name)) {
      if (value !== undefined) {
        throw new UsageError(`${rawName}: '${value}' is too much; it takes no value`)
      }
      set.add(name)
    } else {
      const near = nearest(name, [...values, ...flags])
      const fix = near === undefined ? 'leave it out' : `did you mean --${near}?`
      throw new UsageError(`${rawName} is no option here; ${fix}`)
    }
  }
  return { words, values: given, flags: set }
}

type ParseArgsOption = NonNullable<ParseArgsConfig['options']>[string]

export function one<T extends string>(option: string, value: string, known: readonly T[]): T {
  const found = known.find((name) => name === value)
  if (found === undefined) {
    const near = nearest(value, known)
    const fix = near === undefined ? '' : `; did you mean ${near}?`
    throw new UsageError(`${option}: '${value}' is none of ${known.join(', ')}${fix}`)
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
  const result = value.trim() === '' ? Number.NaN : Number(value)
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
