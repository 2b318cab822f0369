/**
 * The frames that one lcore took from one rx queue in one poll, and what becomes of them.
 *
 * @packageDocumentation
 */
import { ExpectedSources } from './expected-sources.js'

/** Verdict of a frame that goes nowhere; every frame starts with it. */
export const DROP = -1

/** Most frames one poll can receive. */
export const MAX_BURST = 256

/** Most frames a burst can hold: those received and those a program added. */
export const MAX_FRAMES = 512

/** Most ports of one datapath; port ids run from 0 to `MAX_PORTS - 1`. */
export const MAX_PORTS = 1024

/**
 * The memory a {@link Burst} is laid over. The arrays are shared with the native lcore: neither side
 * ever allocates or replaces them while the lcore lives.
 */
export interface BurstMemory {
  /** Packet memory: the bytes of every frame of the process, and nothing else. */
  readonly packets: ArrayBuffer
  /** Byte offset of frame `i` in packet memory; `MAX_FRAMES` long. */
  readonly offset: Uint32Array
  /** Length of frame `i` in bytes; `MAX_FRAMES` long. */
  readonly length: Uint32Array
  /** Port id frame `i` goes to, or {@link DROP}; `MAX_FRAMES` long. */
  readonly outPort: Int32Array
  /** Frame indices of further receivers, parallel to `copyPort`. */
  readonly copyFrame: Uint32Array
  /** Port ids of further receivers, parallel to `copyFrame`. */
  readonly copyPort: Int32Array
  /** Words the native lcore reads and writes; indices are {@link BurstWord}. */
  readonly words: Uint32Array
  /** `[0]` is the time of the last poll in milliseconds on a monotonic clock. */
  readonly clock: Float64Array
  /** Ids of the ports that are ready; the first `words[BurstWord.readyCount]` entries count. */
  readonly readyPorts: Uint32Array
  /** 1 where the port of that id is ready, else 0; `MAX_PORTS` long. */
  readonly isReady: Uint8Array
  /** Who plain frames are expected from; for {@link ExpectedSources}. */
  readonly expected: Int32Array
}

/** Indices into {@link BurstMemory.words}. The native side holds the same list (`native/lcore/shared.h`). */
export const BurstWord = {
  /** Port the received frames came from. */
  inPort: 0,
  /** Rx queue of that port. */
  inQueue: 1,
  /** Frames in the burst: received ones, then those added by `create` and `duplicate`. */
  total: 2,
  /** Entries of `copyFrame` and `copyPort` in use. */
  copyCount: 3,
  /** Ports that are ready. */
  readyCount: 4,
  /** Changes whenever a port becomes ready or stops being ready. */
  readyEpoch: 5,
  /** Bytes of the received frames behind their Ethernet headers. */
  payload: 6,
  /** Received frames, from the first on, that are from where they were expected. */
  expected: 7,
  /** The tag of whoever expected them; 0: nobody, and the word before says nothing. */
  expectedTag: 8,
} as const

/** The calls a burst makes into the native lcore; all of them are off the common path. */
export interface BurstOperations {
  /** Sends the queued copies now and empties the list. */
  flushCopies(): void
  /** Adds a frame of `length` undefined bytes; returns its index, or -1 when there is no room or no memory. */
  create(length: number): number
  /** Adds a frame with the bytes of frame `index`; returns its index, or -1. */
  duplicate(index: number): number
}

/**
 * One burst. The same object is handed to the program every time, with other contents: keep nothing of it
 * from one call to the next.
 *
 * Frame `i` occupies `bytes[offset[i]] .. bytes[offset[i] + length[i] - 1]`. A program may rewrite those
 * bytes, move `offset[i]` and `length[i]` within the frame's own buffer (128 bytes of headroom, for pushing
 * headers), and sets `outPort[i]`; a frame it leaves alone is dropped. Offsets and lengths that leave the
 * frame's buffer cost that frame (counted as `badOffset`), never more.
 */
export class Burst {
  /** Frames received: indices `0 .. count - 1`. 0 in {@link Program.idle}. */
  count = 0
  /** Port id the frames came from. */
  inPort = 0
  /** Rx queue the frames came from. */
  inQueue = 0

  /** Packet memory as bytes. */
  readonly bytes: Uint8Array
  /** Packet memory as 16-bit words in host byte order, for fields at even offsets (Ethernet addresses are, unless a program moved them). */
  readonly words: Uint16Array
  /** Packet memory as a DataView, for fields in network byte order. */
  readonly view: DataView
  /** Byte offset of each frame in packet memory. */
  readonly offset: Uint32Array
  /** Length of each frame in bytes, without FCS. */
  readonly length: Uint32Array
  /** Port id each frame goes to; preset to {@link DROP}. */
  readonly outPort: Int32Array
  /** Ids of the ports that are ready now, in the first {@link readyCount} entries. */
  readonly readyPorts: Uint32Array
  /** 1 where the port with that id is ready, 0 elsewhere. */
  readonly isReady: Uint8Array
  /** Frame index of each further receiver, in the first {@link copyCount} entries. Add with {@link copyTo}. */
  readonly copyFrame: Uint32Array
  /** Port id of each further receiver, parallel to {@link copyFrame}. */
  readonly copyPort: Int32Array
  /** Who the lcore looks for in what it receives: see {@link expected}. */
  readonly sources: ExpectedSources

  /**
   * Called before copies are sent early, because their list is full: the last chance of a program that calls others to
   * look at theirs. It may change the list; what it leaves there is sent. Unset before every burst.
   */
  beforeFlush: ((burst: Burst) => void) | undefined = undefined

  /** Called after {@link beforeFlush}, with what is sent early: for who watches, and changes nothing. Stays set. */
  onFlush: ((burst: Burst) => void) | undefined = undefined

  readonly #shared: Uint32Array
  readonly #clock: Float64Array
  readonly #operations: BurstOperations

  constructor(memory: BurstMemory, operations: BurstOperations) {
    this.bytes = new Uint8Array(memory.packets)
    this.words = new Uint16Array(memory.packets)
    this.view = new DataView(memory.packets)
    this.offset = memory.offset
    this.length = memory.length
    this.outPort = memory.outPort
    this.readyPorts = memory.readyPorts
    this.isReady = memory.isReady
    this.copyFrame = memory.copyFrame
    this.copyPort = memory.copyPort
    this.sources = new ExpectedSources(memory.expected)
    this.#shared = memory.words
    this.#clock = memory.clock
    this.#operations = operations
  }

  /** Frames in the burst, added ones included. */
  get total(): number {
    return this.#shared[BurstWord.total] as number
  }

  /** Number of ports that are ready. */
  get readyCount(): number {
    return this.#shared[BurstWord.readyCount] as number
  }

  /** Changes whenever the set of ready ports does. */
  get readyEpoch(): number {
    return this.#shared[BurstWord.readyEpoch] as number
  }

  /** Milliseconds on a monotonic clock, read once per poll. */
  get now(): number {
    return this.#clock[0] as number
  }

  /** Bytes of the received frames behind their Ethernet headers, as they were received; of a frame without a whole header none. */
  get payload(): number {
    return this.#shared[BurstWord.payload] as number
  }

  /**
   * How many of the received frames, from the first on, the lcore found to be from where a program expects them, as they
   * were received.
   *
   * @param tag - what it gave to {@link ExpectedSources.expect}; of what others expect it is 0
   */
  expected(tag: number): number {
    const shared = this.#shared
    return shared[BurstWord.expectedTag] === tag ? (shared[BurstWord.expected] as number) : 0
  }

  /**
   * Sends frame `index` to `port` as well. All receivers get the bytes that the frame holds when the program
   * returns; use {@link duplicate} where they are to differ.
   */
  copyTo(index: number, port: number): void {
    let at = this.#shared[BurstWord.copyCount] as number
    if (at === this.copyFrame.length) {
      this.beforeFlush?.(this)
      this.onFlush?.(this)
      this.#operations.flushCopies()
      at = 0
    }
    this.copyFrame[at] = index
    this.copyPort[at] = port
    this.#shared[BurstWord.copyCount] = at + 1
  }

  /** Further receivers that wait to be sent. */
  get copyCount(): number {
    return this.#shared[BurstWord.copyCount] as number
  }

  /** Forgets the further receivers after the first `count`. */
  truncateCopies(count: number): void {
    if (count < this.copyCount) this.#shared[BurstWord.copyCount] = count
  }

  /** Takes back all verdicts and the further receivers not sent yet: for a program that calls others, when one of them threw. */
  dropAll(): void {
    this.outPort.fill(DROP, 0, this.total)
    this.#shared[BurstWord.copyCount] = 0
  }

  /**
   * Adds a frame of `length` bytes with undefined contents, for frames a program originates.
   *
   * @returns its index, or -1 when the burst is full, packet memory is used up, or the length does not fit a buffer
   */
  create(length: number): number {
    return this.#operations.create(length)
  }

  /**
   * Adds a frame with the same bytes as frame `index`, which can then be changed on its own.
   *
   * @returns its index, or -1 when the burst is full or packet memory is used up
   */
  duplicate(index: number): number {
    return this.#operations.duplicate(index)
  }

  /** Prepares the object for the frames of the poll that just returned `count`. Called by the lcore's loop. */
  begin(count: number): void {
    this.count = count
    this.beforeFlush = undefined
    this.inPort = this.#shared[BurstWord.inPort] as number
    this.inQueue = this.#shared[BurstWord.inQueue] as number
  }
}
