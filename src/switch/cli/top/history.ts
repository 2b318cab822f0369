import type { TopView } from './rates.js'

/** Values that are kept of each line, a minute by default: longer sparklines end far from the figures. */
export const HISTORY = 60

/** The rates before, by what they are of; the latest last. */
export class History {
  #series = new Map<string, readonly number[]>()

  add({ ports, lcores }: TopView): void {
    // What is there no more is forgotten.
    this.#series = new Map([
      ...ports.map(({ name, rx, tx }) => this.#longer(`port ${name}`, rx.frames + tx.frames)),
      ...lcores.map(({ name, busy }) => this.#longer(`lcore ${name}`, busy)),
    ])
  }

  of(key: `port ${string}` | `lcore ${string}`): readonly number[] {
    return this.#series.get(key) ?? []
  }

  #longer(key: string, value: number): [string, readonly number[]] {
    return [key, [...(this.#series.get(key) ?? []), value].slice(-HISTORY)]
  }
}
