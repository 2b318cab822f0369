import type { Context } from './section.js'

/** What did not succeed on a busy machine is tried once more: that is not the end of a section. */
export async function twice<T>(
  take: () => Promise<T>,
  { signal, say }: Pick<Context, 'signal' | 'say'>,
): Promise<T> {
  try {
    return await take()
  } catch (error) {
    if (signal.aborted) throw error
    say(`tried again: ${(error as Error).message}`)
    return take()
  }
}
