import type { Section } from './section.js'

/** A part of the bench that is loaded only when it is asked for. */
export interface SectionEntry {
  /** The same as the section's own. */
  readonly name: string
  load(): Promise<Section>
}

/** All parts of the bench, in the order in which they are measured: add one here. */
export const SECTIONS: readonly SectionEntry[] = [
  { name: 'rates', load: async () => (await import('./rates/section.js')).ratesSection },
  {
    name: 'reconnect',
    load: async () => (await import('./reconnect/section.js')).reconnectSection,
  },
  { name: 'ports', load: async () => (await import('./ports/section.js')).portsSection },
]
