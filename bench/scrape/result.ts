/** What goes into the JSON. */
export interface ScrapeResult {
  readonly ports: number
  /** Of these so many have a guest that is connected: two that send, the others idle. */
  readonly guests: number
  /** Frames a second in the slices. */
  readonly framesPerSecond: number
  /** Time of a slice. */
  readonly seconds: number
  readonly scrapesPerSecond: number
  /** One after the other while no frames come. The first few, in which code is compiled, are not among them. */
  readonly scrapes: readonly Scrape[]
  /** Milliseconds of the first, for which code is loaded. */
  readonly first: number
  /** Slices in turn: nobody scrapes, somebody does. */
  readonly turns: readonly { readonly without: ScrapeSlice; readonly with: ScrapeSlice }[]
}

/** Milliseconds, as its client sees them; CPU time is that of the thread that answers. */
export interface Scrape {
  /** From the call to the last byte. */
  readonly took: number
  /** For which that thread ran between the call and the last byte, */
  readonly ran: number
  /** and for which it could have run, and another thread had its CPU. */
  readonly waited: number
  readonly bytes: number
}

/** What an lcore did in a slice of time, microseconds where it says nothing else. */
export interface ScrapeSlice {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly lossRatio: number
  /** Share of the frames that are left out, because the tester was away when they came or fell due. */
  readonly unjudged: number
  /** Milliseconds for which the lcore's thread waited for its CPU. */
  readonly switchWaitedMs: number
  /** Times it looked at its queues, in a slice without frames. */
  readonly pollsPerSecond: number
  readonly cyclesPerFrame: number
  /** Scrapes that were answered in both slices. */
  readonly scrapes: number
}
