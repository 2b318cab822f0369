import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.js'

/** Longest body in bytes: a hundred thousand rules. */
export const MAX_BODY = 16 * 1024 * 1024
/** How deep objects and arrays may lie in each other. What walks them by calling itself has a stack that ends. */
export const MAX_DEPTH = 100

/**
 * The body of a request as JSON; undefined when there is none.
 *
 * @throws {@link HttpError} 413 when it is longer than `limit` bytes, 400 when it is no JSON or deeper than {@link MAX_DEPTH}
 */
export async function readJson(request: IncomingMessage, limit = MAX_BODY): Promise<unknown> {
  const refuse = () => {
    discard(request, 4 * limit)
    return new HttpError(413, 'ERR_BODY_TOO_LONG', `the body is longer than ${limit} bytes`)
  }
  if (Number(request.headers['content-length'] ?? 0) > limit) throw refuse()
  const parts: Buffer[] = []
  let length = 0
  // Not destroyed when this ends early: the answer still has to go the same way.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    length += part.length
    if (length > limit) throw refuse()
    parts.push(part)
  }
  if (length === 0) return undefined
  const value = parse(Buffer.concat(parts).toString('utf8'))
  if (isDeeper(value, MAX_DEPTH)) {
    const message = `the body has more than ${MAX_DEPTH} objects or arrays inside each other`
    throw new HttpError(400, 'ERR_BODY_TOO_DEEP', message)
  }
  return value
}

/**
 * Takes what is left of a body, up to `most` bytes: a connection that ends with bytes nobody has read is reset, and its
 * client never sees the answer.
 */
function discard(request: IncomingMessage, most: number): void {
  let left = most
  request.on('data', (part: Buffer) => {
    left -= part.length
    if (left < 0) request.destroy()
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new HttpError(400, 'ERR_BAD_JSON', `the body is no JSON: ${(error as Error).message}`)
  }
}

/** Whether more than `limit` objects lie in each other; looks at one level after the other. */
function isDeeper(value: unknown, limit: number): boolean {
  const objectsOf = (values: readonly unknown[]) =>
    values.filter((one): one is object => typeof one === 'object' && one !== null)
  let level = objectsOf([value])
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > limit) return true
    level = level.flatMap((one) => objectsOf(Object.values(one)))
  }
  return false
}
