/** What dpdk-testpmd prints, as numbers. */

/** `show port stats all`, summed over its ports. */
export interface PortStats {
  /** Frames received a second since the last time it was asked. */
  readonly rxPerSecond: number
  readonly rxFrames: number
  readonly txFrames: number
  /** Frames it could not send. */
  readonly txErrors: number
}

/** `show fwd stats all`: sums since it started forwarding. */
export interface ForwardStats {
  readonly rxFrames: number
  readonly txDropped: number
  /** Cycles of polls that found frames; 0 unless `record-core-cycles` is on. */
  readonly busyCycles: number
  /** Clock of those cycles; 0 unless they are counted. */
  readonly tscMHz: number
}

/** A frame as testpmd tells of it. */
export interface SeenFrame {
  /** Port at which it came in: 0 or 1. */
  readonly port: number
  readonly queue: number
  readonly source: string
  readonly destination: string
  readonly bytes: number
}

/** @throws Error when the text does not show `ports` ports */
export function parsePortStats(text: string, ports: number): PortStats {
  return {
    rxPerSecond: sum(all(text, /Rx-pps:\s+(\d+)/g, ports)),
    rxFrames: sum(all(text, /RX-packets:\s+(\d+)/g, ports)),
    txFrames: sum(all(text, /TX-packets:\s+(\d+)/g, ports)),
    txErrors: sum(all(text, /TX-errors:\s+(\d+)/g, ports)),
  }
}

/** @throws Error when the sums are not in the text */
export function parseForwardStats(text: string): ForwardStats {
  const total = text.slice(text.indexOf('Accumulated forward statistics'))
  const one = (pattern: RegExp, fallback?: number) => Number(total.match(pattern)?.[1] ?? fallback)
  const stats = {
    rxFrames: one(/RX-packets:\s+(\d+)/),
    txDropped: one(/TX-dropped:\s+(\d+)/),
    busyCycles: one(/total cycles=(\d+)/, 0),
    tscMHz: one(/at (\d+) MHz Clock/, 0),
  }
  if (Number.isNaN(stats.rxFrames + stats.txDropped)) throw unreadable(text)
  return stats
}

/** What it says of each frame after `set verbose 1`. */
export function parseFrames(text: string): SeenFrame[] {
  let [port, queue] = [Number.NaN, Number.NaN]
  return text.split('\n').flatMap((line) => {
    const from = /\bport (\d+)\/queue (\d+): received/.exec(line)
    if (from !== null) [port, queue] = [Number(from[1]), Number(from[2])]
    const frame = /src=([\dA-F:]{17}) - dst=([\dA-F:]{17}) - .*?length=(\d+)/.exec(line)
    if (frame === null) return []
    const [, source = '', destination = '', bytes] = frame
    return {
      port,
      queue,
      source: source.toLowerCase(),
      destination: destination.toLowerCase(),
      bytes: Number(bytes),
    }
  })
}

function all(text: string, pattern: RegExp, expected: number): number[] {
  const found = [...text.matchAll(pattern)].map((match) => Number(match[1]))
  if (found.length !== expected) throw unreadable(text)
  return found
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function unreadable(text: string): Error {
  return new Error(`dpdk-testpmd answered what this bench does not understand:\n${text.trim()}`)
}
