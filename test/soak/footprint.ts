import { readdirSync, readFileSync } from 'node:fs'
import { memoryOf, threadsOf } from '../../bench/footprint/proc.js'
import type { AdminClient } from '../../src/switch/admin/client.js'

/** What a switch holds while nothing flows. */
export interface Footprint {
  readonly fds: number
  readonly threads: number
  /** Frames of packet memory that are taken. */
  readonly frames: number
  /** Heaps and stacks. */
  readonly anonymousMiB: number
  /** Shared mappings: its own packet memory, and that of guests. */
  readonly mappings: number
}

export async function footprintOf(pid: number, client: AdminClient): Promise<Footprint> {
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8')
  const metrics = await client.metrics()
  return {
    fds: readdirSync(`/proc/${pid}/fd`).length,
    threads: threadsOf(pid).length,
    frames: Number(/^dpdk_vhost_memory_used_frames (\d+)/m.exec(metrics)?.[1]),
    anonymousMiB: Math.round(memoryOf(pid).anonymous / 2 ** 20),
    mappings: maps.match(/ rw-s /g)?.length ?? 0,
  }
}

/** A connection that is being looked for has one more, and so has an answer that is being written. */
const SPARE_FDS = 2
/** What a heap may take on top of what it had when it was warm, and as a share of that. */
const BREATH_MIB = 24
const BREATH = 0.25

/**
 * What grew between two footprints with the same ports and guests, one line each.
 *
 * @param warm - whether heaps had the time to become as large as they are to be
 */
export function growth(before: Footprint, after: Footprint, warm = true): string[] {
  const more = (what: keyof Footprint, allowed: number) =>
    after[what] > before[what] + allowed ? [`${what}: ${before[what]} became ${after[what]}`] : []
  return [
    ...more('fds', SPARE_FDS),
    ...more('threads', 0),
    ...more('frames', 0),
    ...more('mappings', 0),
    ...(warm ? more('anonymousMiB', BREATH_MIB + BREATH * before.anonymousMiB) : []),
  ]
}

/** The least of each figure: a heap that was not collected yet is no growth. */
export function least(footprints: readonly Footprint[]): Footprint {
  const of = (what: keyof Footprint) => Math.min(...footprints.map((each) => each[what]))
  return {
    fds: of('fds'),
    threads: of('threads'),
    frames: of('frames'),
    anonymousMiB: of('anonymousMiB'),
    mappings: of('mappings'),
  }
}
