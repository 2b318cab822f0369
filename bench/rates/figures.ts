import type { Figure } from '../section.js'
import { extremes } from '../statistics.js'
import type { RatesResult } from './result.js'

/** Rates, and what a frame costs. */
export function figures({ runs }: RatesResult): Figure[] {
  return runs.flatMap(({ name, ring, frameBytes, mpps, cyclesPerPacket, samples, rounds }) => {
    const key = `${name}@${ring}@${frameBytes}`
    const cycles = rounds.map((round) => round.cyclesPerPacket)
    return [
      {
        key: `${key} rate`,
        value: mpps,
        unit: 'Mpps',
        ...extremes(samples),
        better: 'more' as const,
      },
      {
        key: `${key} cost`,
        value: cyclesPerPacket,
        unit: 'cycles/frame',
        ...extremes(cycles),
        better: 'less' as const,
      },
    ]
  })
}
