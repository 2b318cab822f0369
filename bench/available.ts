import type { Contender } from './contender.js'
import type { Asked } from './section.js'

/** Those that can be run. One that was asked for by its name and cannot be is an error. */
export function availableOf<One extends Pick<Contender, 'name' | 'check'>>(
  contenders: readonly One[],
  { only }: Asked,
  say: (what: string) => void = () => {},
): One[] {
  return contenders.filter((contender) => {
    try {
      contender.check?.()
      return true
    } catch (error) {
      if (only !== undefined) throw error
      say(`without ${contender.name}: ${(error as Error).message}`)
      return false
    }
  })
}
