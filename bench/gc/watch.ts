/**
 * Counts garbage collections in every isolate of a process: loaded before its program, with `node --import`, which Workers
 * inherit. The process is asked over its IPC channel.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { getEnvironmentData, isMainThread, setEnvironmentData, threadId } from 'node:worker_threads'

/** Garbage collections of one isolate since it began. */
export interface Collections {
  /** 0 is the main thread. */
  readonly thread: number
  readonly count: number
  /** Time they took in all, and the longest. */
  readonly milliseconds: number
  readonly longestMs: number
}

export interface GcReply {
  readonly kind: 'gc'
  readonly isolates: readonly Collections[]
}

const KEY = 'bench-gc'
const MOST_THREADS = 64
/** Whether it is there, collections, milliseconds, the longest. */
const FIELDS = 4

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
const own = table.subarray(threadId * FIELDS, (threadId + 1) * FIELDS)
own[0] = 1
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    own[1]! += 1
    own[2]! += duration
    if (duration > (own[3] as number)) own[3] = duration
  }
}).observe({ entryTypes: ['gc'] })

function read(): Collections[] {
  return Array.from({ length: MOST_THREADS }, (_, thread) => {
    const at = thread * FIELDS
    const [there, count, milliseconds, longestMs] = table.subarray(at, at + FIELDS)
    return { there, thread, count, milliseconds, longestMs } as Collections & { there: number }
  })
    .filter(({ there }) => there === 1)
    .map(({ there: _, ...collections }) => collections)
}
