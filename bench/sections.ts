import type { Effort, Section } from './section.js'

/** A part of the bench that is loaded only when it is asked for. */
export interface SectionEntry {
  /** The same as the section's own. */
  readonly name: string
  /** The least effort with which it is part of the whole bench; alone, it runs with any. */
  readonly least?: Effort
  load(): Promise<Section>
}

/** From little to much. */
const EFFORTS: readonly Effort[] = ['quick', 'usual', 'full']

/** Whether a section is part of the whole bench with this effort. */
export function takesPart({ least = 'quick' }: SectionEntry, effort: Effort): boolean {
  return EFFORTS.indexOf(effort) >= EFFORTS.indexOf(least)
}

/** All parts of the bench, in the order in which they are measured: add one here. */
export const SECTIONS: readonly SectionEntry[] = [
  { name: 'rates', load: async () => (await import('./rates/section.js')).ratesSection },
  {
    name: 'slices',
    least: 'usual',
    load: async () => (await import('./slices/section.js')).slicesSection,
  },
  { name: 'rfc2544', load: async () => (await import('./rfc2544/section.js')).rfc2544Section },
  {
    name: 'idle-latency',
    least: 'usual',
    load: async () => (await import('./idle-latency/section.js')).idleLatencySection,
  },
  { name: 'gc', least: 'usual', load: async () => (await import('./gc/section.js')).gcSection },
  {
    name: 'scrape',
    least: 'full',
    load: async () => (await import('./scrape/section.js')).scrapeSection,
  },
  {
    name: 'reconnect',
    load: async () => (await import('./reconnect/section.js')).reconnectSection,
  },
  { name: 'start', load: async () => (await import('./start/section.js')).startSection },
  {
    name: 'footprint',
    least: 'usual',
    load: async () => (await import('./footprint/section.js')).footprintSection,
  },
  {
    name: 'scale',
    least: 'usual',
    load: async () => (await import('./scale/section.js')).scaleSection,
  },
  {
    name: 'qos',
    least: 'full',
    load: async () => (await import('./qos/section.js')).qosSection,
  },
  {
    name: 'micro',
    least: 'usual',
    load: async () => (await import('./micro/section.js')).microSection,
  },
]
