import type { Contender } from '../contender.js'
import { type Entry, entriesOf } from '../plan.js'
import type { RatesOptions } from './options.js'

/** Who takes turns in a round, on which rings. */
export function turnsOf(
  contenders: readonly Contender[],
  { rings, frameBytes, onOtherRings }: RatesOptions,
): Entry[] {
  const scenarios = rings.map((ring) => ({ ring, frameBytes }))
  return entriesOf(contenders, scenarios).filter(({ contender, scenario }) => {
    const isOther = scenario.ring === 'packed' || scenario.ring === 'packed-inorder'
    return !isOther || onOtherRings === undefined || onOtherRings.includes(contender.name)
  })
}
