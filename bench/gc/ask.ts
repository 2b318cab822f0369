import { once } from 'node:events'
import type { BenchProcess } from '../process.js'

const ANSWER_MS = 10_000

/** Sends a message to a process and waits for the next that comes from it. */
export async function ask<Reply>(process: BenchProcess, request: object): Promise<Reply> {
  const signal = AbortSignal.timeout(ANSWER_MS)
  const answer = once(process.child, 'message', { signal }) as Promise<[Reply]>
  process.child.send(request)
  const [reply] = await Promise.race([answer, process.failed])
  return reply
}
