import type { Contender } from '../reconnect/contender.js'
import type { Asked } from '../section.js'

/** How many of them are asked for. */
export function countOf(all: readonly Contender[], asked?: Asked): number {
  return all.filter(({ name }) => asked?.only?.includes(name) ?? true).length
}

/**
 * Those that can be run, and why the others cannot.
 *
 * @throws Error when one that was asked for by its name cannot be run: what is missing and how to get it
 */
export function whoIsHere<C extends Contender>(all: readonly C[], only: Asked['only']) {
  const missing: { name: string; why: string }[] = []
  const here = all.filter((contender) => {
    if (only !== undefined && !only.includes(contender.name)) return false
    try {
      contender.version()
      return true
    } catch (error) {
      if (only !== undefined) throw error
      missing.push({ name: contender.name, why: (error as Error).message })
      return false
    }
  })
  return { here, missing }
}
