import { nearest } from './nearest.js'

/** The known word that was probably meant. */
export function nearestFix(word: unknown, known: readonly string[]): string | undefined {
  const found = typeof word === 'string' ? nearest(word, known) : undefined
  return found === undefined ? undefined : `did you mean ${found}?`
}

/** What a value is that should have another type. */
export function wrongType(value: unknown): string {
  if (value === null) return 'is not a value'
  if (Array.isArray(value)) return 'is an array'
  if (typeof value === 'number')
    return Number.isInteger(value) ? 'is a number' : 'is not a whole number'
  return typeof value === 'object' ? 'is an object' : `is a ${typeof value}`
}
