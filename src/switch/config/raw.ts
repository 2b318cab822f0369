/**
 * Looking at values before they are known to be what they should be.
 *
 * @packageDocumentation
 */

export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** A key of what may be an object. */
export function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** The items of what may be a list. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** A text of what may be one. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The object without some keys, and with them alone. */
export function split(
  value: Record<string, unknown>,
  keys: readonly string[],
): [without: Record<string, unknown>, alone: Record<string, unknown>] {
  const entries = Object.entries(value)
  return [
    Object.fromEntries(entries.filter(([key]) => !keys.includes(key))),
    Object.fromEntries(entries.filter(([key]) => keys.includes(key))),
  ]
}
