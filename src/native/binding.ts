import { loadBinding } from './load.js'

/** A change of a port as the addon tells it; the bit masks name queues. */
export interface NativePortEvent {
  type: 'port'
  id: number
  generation: number
  state: PortState
  reason: string
  rxQueues: number
  txQueues: number
  adminState: 'up' | 'down'
  time: number
  features: bigint
  packed: boolean
  queuePairs: number
  rxRingSize: number
  txRingSize: number
  mtu: number
  numaNode: number
  /** Features the port offers. */
  offered: bigint
  /** Features the peer of the last connection asked for; 0 if it did not come to that. */
  requested: bigint
  /** Features of the device that ran last; 0 if none did. */
  featuresBefore: bigint
  /** The last message of the last connection, by its number in the vhost-user protocol. */
  lastRequest: number
  /** Connections in a row that ended at once, before the device was ready. */
  earlyEnds: number
}

/** `closed → connecting | listening → connected → ready ⇄ stopped → disconnected → connecting ...`; `failed` when a client gave up */
export type PortState =
  | 'closed'
  | 'connecting'
  | 'listening'
  | 'connected'
  | 'ready'
  | 'stopped'
  | 'disconnected'
  | 'failed'

/** One line of DPDK's log; `level` counts from 1 (emergency) to 8 (debug). */
export interface NativeLogEvent {
  type: 'log'
  level: number
  component: string
  message: string
}

/** A peer holds up librte's event thread. */
export interface NativeStallEvent {
  type: 'stall'
  state: 'stalled' | 'cut' | 'over'
  cause: 'receiving' | 'sending' | 'handling'
  /** Id of its port, where it is known. */
  id?: number
  /** Path of its socket, empty where it is not known. */
  socket: string
  /** Process id of the peer; 0: not known. */
  pid: number
  /** The message, by its number in the vhost-user protocol; 0: not known. */
  request: number
  forMs: number
}

/** What a program was given and has not given back. */
export interface NativeBurstInHand {
  /** Counts the bursts of the lcore. */
  number: number
  /** Id of the port it came from. */
  port: number
  queue: number
  frames: number
  /** The first 64 bytes of the first frame. */
  first: Uint8Array
}

export type NativeEvent = NativeStallEvent | NativePortEvent | NativeLogEvent | { type: 'overflow' }

export interface NativeOpenOptions {
  memory: 'auto' | 'hugepages' | 'memfd'
  memoryMiB: number
  mtu: number
  ealArgs: string[]
  /** 0: peers are never cut off. */
  peerTimeoutMs: number
}

export interface NativeOpenResult {
  memory: 'hugepages' | 'memfd'
  memoryMiB: number
  frames: number
  bufferBytes: number
  cyclesPerSecond: number
  ealArgs: string[]
}

/** Rate in bytes a second, burst in bytes; what may wait. */
export interface NativeShaperOptions {
  rate: number
  burst: number
  maxFrames: number
  maxBytes: number
}

export interface NativePortOptions {
  name: string
  type: 'dpdkvhostuserclient' | 'dpdkvhostuser' | 'dpdk'
  mtu: number
  adminState: 'up' | 'down'
  txRetriesMax: number
  shaper?: NativeShaperOptions | undefined
  path?: string
  queues?: number
  vringStats?: boolean
  flapLimit?: number
  disabledFeatures?: bigint
  /** If not 0, exactly these are offered. */
  pinnedFeatures?: bigint
  /** Client. `giveUpMs` of 0 means never. */
  reconnect?: { firstDelayMs: number; maxDelayMs: number; jitter: number; giveUpMs: number }
  /** Server. Empty `uid` and `gid` mean ours. */
  access?: { createFolder: boolean; mode: number | undefined; uid: string; gid: string }
  devargs?: string
  rxQueues?: number
  txQueues?: number
  rxDescriptors?: number
  txDescriptors?: number
}

/** Where an array lies in a block: byte offset and number of elements. */
export interface Place {
  at: number
  length: number
}

/** The lcore of the calling thread. Nothing but small numbers crosses; the rest lies in `block`. */
export interface NativeLcore {
  readonly index: number
  readonly block: { readonly buffer: ArrayBuffer } & Record<
    | 'words'
    | 'clock'
    | 'offset'
    | 'length'
    | 'outPort'
    | 'copyFrame'
    | 'copyPort'
    | 'readyPorts'
    | 'isReady'
    | 'expected',
    Place
  >
  /** From now on the function given to `createLcore` is called over and over, until it returns false. In between the event loop gets a round whenever it has something to do. */
  start(): void
  /** Sends the last burst as its verdicts say and takes the next; returns its frames, 0 when all queues were empty. */
  poll(): number
  /** As `poll`, but blocks until a guest signals, a wake-up, or the time (ms) is over. */
  wait(timeoutMs: number): number
  /** As `poll`, with the guests asked to signal; after 0, `sleep` may follow. */
  arm(): number
  /** Turns go on after a signal, a wake-up, or the time (ms); the one under way is to return false. */
  sleep(timeoutMs: number): void
  /** Sends the last burst as its verdicts say. */
  flush(): void
  flushCopies(): void
  create(length: number): number
  duplicate(index: number): number
  /** Drops the current burst as a program's error. */
  failBurst(): void
  /** Forwards in C++ alone between the first two queues; returns the frames received. */
  nativeIo(milliseconds: number): number
  /** Sends and counts frames between two ports; for the benchmark. */
  trial(plan: NativeTrialPlan): NativeTrialResult
  close(): void
}

/** librte's statistics of a port's vrings: `names.length` values for each vring, in the order of vring ids. */
export interface NativeVringTotals {
  id: number
  names: string[]
  values: Float64Array
}

/** Frames to be sent from two ports to each other, and counted. */
export interface NativeTrialPlan {
  /** Ids of the ports. The lcore polls the first rx queue of both. */
  ports: readonly [number, number]
  /** What each sends: Ethernet, IPv4 and UDP without options, then 16 bytes or more that are written over. */
  frames: readonly [Uint8Array, Uint8Array]
  milliseconds: number
  /** It ends when nothing came for this long after the last frame was offered. */
  lingerMs: number
  /** Of each port; 0: as many as the rings take. */
  framesPerSecond: number
  /** Each frame at a random time within its turn. */
  scattered: boolean
  /** Not 0, and not that of a trial before. */
  number: number
}

/** What came of them. */
export interface NativeTrialResult {
  /** By the port that sends. */
  directions: {
    /** Frames that were due and offered to the ring. */
    offered: number
    /** Skipped, because the thread did not run when they fell due. */
    absent: number
    /** Of those offered, not taken, because the ring was full. */
    refused: number
    /** Received at the other port. */
    received: number
    /** Received again, or after one that was sent later; not among `received`. */
    outOfOrder: number
  }[]
  /** Received frames that are none of this trial. */
  foreign: number
  /** Received frames that are not in `latency`: the thread did not run when they came or fell due. */
  unjudged: number
  /** Time until the last frame was offered. */
  sendingMs: number
  /** Longest time between two looks at the rings. */
  longestPauseMs: number
  /** Share of the time in which frames were sent or received. */
  busy: number
  /** Cycles from when a frame was due until it was received: 64 buckets of equal width to each octave. */
  latency: Float64Array
  /** Cycles from when a frame was due until it was offered, likewise. */
  lateness: Float64Array
}

/** Where each counter lies, in elements of a Float64Array over `counters()`. */
export interface CounterLayout {
  rxNames: string[]
  txNames: string[]
  lcoreNames: string[]
  peerNames: string[]
  portStride: number
  rxStride: number
  txStride: number
  tx: number
  shaper: number
  peer: number
  lcores: number
  lcoreStride: number
  burstSizes: number
  made: number
  histogramBuckets: number
  maxPorts: number
  maxQueuePairs: number
  maxLcores: number
  maxBurst: number
  maxFrames: number
}

/** The addon. Promises are settled by its control thread; their errors carry a `code`. */
export interface Binding {
  readonly layout: CounterLayout
  readonly dpdkVersion: string
  open(
    options: NativeOpenOptions,
    listener: (event: NativeEvent) => void,
  ): Promise<NativeOpenResult>
  close(): Promise<void>
  addPort(options: NativePortOptions): Promise<number>
  removePort(id: number): Promise<void>
  reconnectPort(id: number): Promise<void>
  /** Rejects when a port that listens cannot come up. */
  setAdminState(id: number, up: boolean): Promise<void>
  /** Undefined: nothing is held back from now on. Rejects when packet memory is too small. */
  setShaper(id: number, shaper: NativeShaperOptions | undefined): Promise<void>
  /** Triples of lcore, port, rx queue: everything that is polled from now on. */
  assign(triples: Uint32Array): Promise<void>
  inject(port: number, bytes: Uint8Array): boolean
  wakeLcore(index: number): void
  /** Undefined while no program has one. Any thread. */
  burstInHand(lcore: number): NativeBurstInHand | undefined
  /** Lets no lcore of the process sleep any more: it is about to end. */
  endSleeps(): void
  /** Keeps the calling thread on one CPU. */
  pinThread(cpu: number): void
  /** Sends a datagram to the Unix socket at `path`, `@` for an abstract one; throws `ERR_NOTIFY`. */
  sendNotification(path: string, text: string): void
  /** This thread's one view of packet memory. */
  packetMemory(): ArrayBuffer
  counters(): ArrayBuffer
  /** Frames of packet memory that are taken. */
  framesInUse(): number
  /** Of all ports that were added with `vringStats`. */
  vringTotals(): Promise<NativeVringTotals[]>
  createLcore(burst: number, turn: () => boolean): NativeLcore
  /** One moment on two clocks: milliseconds of the lcores' clock; seconds and nanoseconds since 1970. Throws `ERR_NOT_OPEN`. */
  wallClock(): [clock: number, seconds: number, nanoseconds: number]
  /** Four words an instruction: code, jt, jf, k. Rejects with `ERR_NO_LIBPCAP`, `ERR_FILTER`. */
  compileFilter(filter: string): Promise<Uint32Array>
}

/** The addon of this process. */
export const binding = loadBinding() as Binding
