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

/** Rates, and what a frame costs. */
export function rateFigures(
  key: string,
  samples: readonly { readonly mpps: number; readonly cyclesPerPacket: number }[],
): Figure[] {
  const of = (name: 'mpps' | 'cyclesPerPacket') => samples.map((sample) => sample[name])
  return [
    figureOf(`${key} rate`, of('mpps'), 'Mpps', 'more'),
    figureOf(`${key} cost`, of('cyclesPerPacket'), 'cycles/frame', 'less'),
  ]
}
