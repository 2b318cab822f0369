/**
 * Counts garbage collections in every isolate of a process: loaded before its program, with `node --import`, which Workers
 * inherit. The process is asked over its IPC channel.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { getEnvironmentData, isMainThread, setEnvironmentData, threadId } from 'node:worker_threads'

/** Garbage collections of one isolate since they were asked for the last time. */
export interface Collections {
  /** 0 is the main thread. */
  readonly thread: number
  /** Milliseconds of each pause. */
  readonly pauses: readonly number[]
}

export interface GcReply {
  readonly kind: 'gc'
  readonly isolates: readonly Collections[]
}

const KEY = 'bench-gc'
const MOST_THREADS = 64
/** Pauses of a thread that are kept: many more than there are between two questions. */
const MOST_PAUSES = 4095
/** How many pauses there were, and their milliseconds. */
const FIELDS = 1 + MOST_PAUSES

if (isMainThread) {
  const bytes = MOST_THREADS * FIELDS * Float64Array.BYTES_PER_ELEMENT
  setEnvironmentData(KEY, new SharedArrayBuffer(bytes))
  process.on('message', ({ kind }: { kind: string }) => {
    if (kind === 'gc') process.send?.({ kind: 'gc', isolates: read() } satisfies GcReply)
  })
  // The program decides when the process ends.
  process.channel?.unref()
}

const table = new Float64Array(getEnvironmentData(KEY) as unknown as SharedArrayBuffer)
const own = rowOf(threadId)
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    const count = own[0] as number
    own[1 + (count % MOST_PAUSES)] = duration
    own[0] = count + 1
  }
}).observe({ entryTypes: ['gc'] })

/** How many of each thread were told by now. */
const told: number[] = []

function read(): Collections[] {
  return Array.from({ length: MOST_THREADS }, (_, thread) => {
    const row = rowOf(thread)
    const count = row[0] as number
    const before = told[thread] ?? 0
    told[thread] = count
    const pauses = Array.from(
      { length: count - before },
      (_, i) => row[1 + ((before + i) % MOST_PAUSES)] as number,
    )
    return { thread, pauses }
  }).filter(({ pauses }) => pauses.length > 0)
}

function rowOf(thread: number): Float64Array {
  return table.subarray(thread * FIELDS, (thread + 1) * FIELDS)
}
