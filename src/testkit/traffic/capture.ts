import type { Burst } from '../../burst/burst.js'

/** What a capture is to keep. */
export interface CaptureFilter {
  /** Only frames of this EtherType. Default: of any. */
  readonly etherType?: number | undefined
  /** Numbered frames too. Default false. */
  readonly numbered?: boolean | undefined
  /** Most frames kept; what comes when as many wait to be taken is let go. Default 1024. */
  readonly limit?: number | undefined
}

/** Copies of frames as they arrived. */
export class FrameStore {
  readonly numbered: boolean
  readonly #etherType: number | undefined
  readonly #limit: number
  readonly #frames: Uint8Array[] = []
  #waiting:
    | { count: number; resolve(frames: Uint8Array[]): void; timer: NodeJS.Timeout }
    | undefined

  constructor({ etherType, numbered = false, limit = 1024 }: CaptureFilter) {
    this.numbered = numbered
    this.#etherType = etherType
    this.#limit = limit
  }

  see(burst: Burst, index: number): void {
    const at = burst.offset[index] as number
    const length = burst.length[index] as number
    if (this.#frames.length >= this.#limit) return
    if (this.#etherType !== undefined && burst.view.getUint16(at + 12) !== this.#etherType) return
    this.#frames.push(burst.bytes.slice(at, at + length))
    if (this.#frames.length >= (this.#waiting?.count ?? Number.POSITIVE_INFINITY)) this.#deliver()
  }

  /** Frames in the order of their arrival: `count` of them, or as many as there are when the time is over. */
  take(count: number, timeoutMs: number): Promise<Uint8Array[]> {
    this.#deliver()
    return new Promise((resolve) => {
      if (this.#frames.length >= count) {
        resolve(this.#frames.splice(0, count))
        return
      }
      const timer = setTimeout(() => this.#deliver(), timeoutMs)
      this.#waiting = { count, resolve, timer }
    })
  }

  #deliver(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    this.#waiting = undefined
    clearTimeout(waiting.timer)
    waiting.resolve(this.#frames.splice(0, waiting.count))
  }
}
