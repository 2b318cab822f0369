import type { Figure } from '../section.js'
import type { RatesResult } from './result.js'

/** Rates, and what a frame costs. */
export function figures({ runs }: RatesResult): Figure[] {
  return runs.flatMap(({ name, ring, frameBytes, mpps, cyclesPerPacket, samples, rounds }) => {
    const key = `${name}@${ring}@${frameBytes}`
    const cycles = rounds.map((round) => round.cyclesPerPacket)
    return [
      { key: `${key} rate`, value: mpps, unit: 'Mpps', ...range(samples), better: 'more' as const },
      {
        key: `${key} cost`,
        value: cyclesPerPacket,
        unit: 'cycles/frame',
        ...range(cycles),
        better: 'less' as const,
      },
    ]
  })
}

function range(values: readonly number[]): { low: number; high: number } {
  return { low: Math.min(...values), high: Math.max(...values) }
}
