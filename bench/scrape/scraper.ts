import { OwnProcess } from '../own/own-process.js'
import type { Scrape } from './result.js'

export interface ScraperStart {
  readonly socket: string
  /** The switch. */
  readonly pid: number
  readonly cpu: number
}

/** Scrapes at even distances: so many, or until it is told to stop. */
export type ScraperRequest =
  | { readonly kind: 'start'; readonly everyMs: number; readonly count?: number }
  | { readonly kind: 'stop' }

export type ScraperReply =
  | { readonly kind: 'started' }
  | { readonly kind: 'scrapes'; readonly scrapes: readonly Scrape[] }

const ANSWER_MS = 10_000

/** Who scrapes: a process of its own, on a CPU that is not the lcore's. */
export class Scraper extends OwnProcess<ScraperRequest, ScraperReply> {
  constructor(start: ScraperStart, folder: string) {
    super('scraper', new URL('./scraper-main.js', import.meta.url), start, folder)
  }

  /** One after the other, at that distance. */
  async take(count: number, everyMs: number): Promise<readonly Scrape[]> {
    const request = { kind: 'start', everyMs, count } as const
    return (await this.channel.ask(request, 'scrapes', count * everyMs + ANSWER_MS)).scrapes
  }

  begin(everyMs: number): void {
    this.channel.process.child.send({ kind: 'start', everyMs } satisfies ScraperRequest)
  }

  /** Those since the beginning. */
  async end(): Promise<readonly Scrape[]> {
    return (await this.channel.ask({ kind: 'stop' }, 'scrapes')).scrapes
  }
}
