import type { OvsdbValue } from './types.js'

/** The members of a set. JSON has a set of one as that one, and an optional column without a value as a set of none. */
export function membersOf<T = unknown>(value: unknown): T[] {
  if (Array.isArray(value) && value[0] === 'set') return value[1] as T[]
  return value === undefined ? [] : [value as T]
}

/** A map of strings as an object; what is no map has no keys. */
export function mapOf(value: unknown): Record<string, string> {
  return Array.isArray(value) && value[0] === 'map' ? Object.fromEntries(value[1]) : {}
}

/** The text of an optional column; undefined when it has none, or an empty one. */
export function textOf(
  row: Readonly<Record<string, unknown>> | undefined,
  column: string,
): string | undefined {
  const [value] = membersOf(row?.[column])
  return value === undefined || value === '' ? undefined : String(value)
}

/** An object as a map. */
export function toMap(object: object): OvsdbValue {
  return ['map', Object.entries(object)]
}

/** An array as a set. */
export function toSet(members: readonly unknown[]): OvsdbValue {
  return ['set', members]
}
