import type { Context } from './section.js'

/** What did not succeed on a busy machine is tried once more: that is not the end of a section. */
export async function twice<T>(
  take: () => Promise<T>,
  { signal, say }: Pick<Context, 'signal' | 'say'>,
  name = '',
): Promise<T> {
  try {
    return await take()
  } catch (error) {
    if (signal.aborted) throw error
    say(`${name === '' ? '' : `${name} is `}tried again: ${(error as Error).message}`)
    return take()
  }
}

/** Takes turns for a section: who fails twice is left out from then on, and the others go on. */
export class Turns {
  readonly #context: Pick<Context, 'signal' | 'say' | 'lose'>
  readonly #lost = new Set<string>()

  constructor(context: Pick<Context, 'signal' | 'say' | 'lose'>) {
    this.#context = context
  }

  /** @returns undefined for one that failed, now or before */
  async take<T>(name: string, take: () => Promise<T>): Promise<T | undefined> {
    if (this.#lost.has(name)) return undefined
    try {
      return await twice(take, this.#context, name)
    } catch (error) {
      if (this.#context.signal.aborted) throw error
      this.#lost.add(name)
      this.#context.lose(`${name}: ${(error as Error).message}`)
      return undefined
    }
  }
}
