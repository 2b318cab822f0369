import { counting } from './near.js'
import type { Figure } from './section.js'
import { extremes, median } from './statistics.js'

/** The median of the rounds, and their extremes. */
export function figureOf(
  key: string,
  values: readonly number[],
  unit: string,
  better: Figure['better'],
): Figure {
  return { key, value: median(values), unit, ...extremes(values), better }
}

/** Rates, and what a frame costs, of the samples that count. */
export function rateFigures(
  key: string,
  samples: readonly {
    readonly mpps: number
    readonly cyclesPerPacket: number
    readonly far?: boolean
  }[],
): Figure[] {
  const of = (name: 'mpps' | 'cyclesPerPacket') => counting(samples).map((sample) => sample[name])
  return [
    figureOf(`${key} rate`, of('mpps'), 'Mpps', 'more'),
    figureOf(`${key} cost`, of('cyclesPerPacket'), 'cycles/frame', 'less'),
  ]
}
