/**
 * What hosts report of the traffic they sent and received.
 *
 * @packageDocumentation
 */

/** What became of a sending. */
export interface SendResult {
  /** Names the stream to its receivers: no two sendings share one. */
  readonly stream: number
  /** Frames that the ring took. */
  readonly frames: number
  readonly bytes: number
  /** Frames that were due but could not be sent, by reason. Their numbers are missing at the receiver. */
  readonly skipped: {
    /** The link was down. */
    readonly linkDown: number
    /** The ring stayed full, or this process was not given the time. */
    readonly late: number
  }
  /** Frames that the ring took, by destination MAC address. */
  readonly destinations: Readonly<Record<string, number>>
  /** From the first frame to the last. */
  readonly ms: number
  readonly framesPerSecond: number
  /** Whether all was sent that was asked for. */
  readonly finished: boolean
}

/** Time from sender to receiver in microseconds. Sender and receiver have to be hosts on one machine. */
export interface LatencyReport {
  readonly min: number
  readonly mean: number
  readonly median: number
  readonly p99: number
  readonly max: number
}

/** The longest time without a frame of a stream, between two frames of it. */
export interface Gap {
  readonly ms: number
  /** When it ended, in milliseconds since the epoch, as `Date.now()`. */
  readonly endedAt: number
  /** Numbers passed over by the frame that ended it. */
  readonly missing: number
}

/** What arrived of a stream. */
export interface StreamReport {
  readonly stream: number
  /** Frames that arrived intact, each number once. */
  readonly frames: number
  /** How many of them were addressed to another host and came here by flooding. */
  readonly foreign: number
  readonly bytes: number
  /** Numbers that were passed over and did not arrive since: lost on the way, or skipped by the sender. */
  readonly missing: number
  /** Arrived again. */
  readonly duplicated: number
  /** Arrived after a frame of the same flow that was sent later. */
  readonly reordered: number
  /** Arrived so late that it cannot be told whether for the first time. */
  readonly late: number
  /** Arrived with wrong bytes, length or checksum; not among `frames`. */
  readonly corrupted: number
  /** Arrived intact but with other addresses, ports or TTL than they were sent with. */
  readonly rewritten: number
  /** Arrived with a VLAN tag. */
  readonly tagged: number
  readonly flows: number
  /** By rx queue. */
  readonly queues: Readonly<Record<number, number>>
  /** When the first of them came, in milliseconds since the epoch, as `Date.now()`. */
  readonly firstAt: number | undefined
  readonly longestGap: Gap | undefined
  readonly latencyMicroseconds: LatencyReport | undefined
}

/** What arrived of a sending. */
export interface Delivery extends StreamReport {
  /** Frames that were sent here and did not arrive, the last of all included. */
  readonly lost: number
}

/** All that a host received. */
export interface ReceivedReport {
  /** Numbered frames, by stream. */
  readonly streams: readonly StreamReport[]
  /** Numbered frames too damaged to tell which stream they were of. */
  readonly corrupted: number
  /** ARP, neighbour discovery and pings for this host, requests and answers. */
  readonly control: number
  /** All other frames. */
  readonly other: number
}

/** How a ping went. */
export interface PingResult {
  readonly sent: number
  readonly received: number
  readonly rttMs: { readonly min: number; readonly median: number; readonly max: number }
}

/** Counters of a host's interface, seen from the host. */
export interface HostCounters {
  readonly rx: { readonly frames: number; readonly bytes: number }
  readonly tx: {
    readonly frames: number
    readonly bytes: number
    readonly ringFull: number
    readonly linkDown: number
  }
}
