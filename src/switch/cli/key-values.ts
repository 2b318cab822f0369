import { parse } from 'yaml'
import { UsageError } from './exit-codes.js'

/**
 * `tag=10 trunks=[1,2] reconnect.maxDelayMs=500` as an object. Values are written as in the configuration, that is in
 * YAML; an empty one is null.
 *
 * @throws UsageError naming the argument
 */
export function readKeyValues(args: readonly string[]): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const arg of args) {
    const at = arg.indexOf('=')
    const path = arg.slice(0, at).split('.')
    if (at <= 0 || path.includes('')) {
      throw new UsageError(`${JSON.stringify(arg)} is no KEY=VALUE, such as tag=10`)
    }
    put(object, path, readValue(arg.slice(at + 1), arg), arg)
  }
  return object
}

function readValue(text: string, arg: string): unknown {
  // Permission bits: 0660 is no decimal number.
  if (/^0[0-7]+$/.test(text)) return text
  try {
    return parse(text, { schema: 'core' }) as unknown
  } catch (error) {
    const [reason] = (error as Error).message.split('\n')
    throw new UsageError(`${JSON.stringify(arg)}: the value is no YAML: ${reason}`)
  }
}

function put(
  object: Record<string, unknown>,
  [key = '', ...rest]: readonly string[],
  value: unknown,
  arg: string,
): void {
  if (rest.length === 0) {
    if (Object.hasOwn(object, key)) throw new UsageError(`${arg}: ${key} was given before`)
    // Not `object[key] =`, which for __proto__ would be no key.
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    })
    return
  }
  if (!Object.hasOwn(object, key)) put(object, [key], {}, arg)
  const inner = object[key]
  if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) {
    throw new UsageError(`${arg}: ${key} was given before, and is no object`)
  }
  put(inner as Record<string, unknown>, rest, value, arg)
}
