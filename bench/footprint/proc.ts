import { readdirSync, readFileSync } from 'node:fs'
import { schedstat } from '../schedstat.js'

/** A thread of a process. */
export interface Thread {
  readonly id: number
  readonly name: string
  /** Time on a CPU so far, in seconds. */
  readonly cpuSeconds: number
}

/** The threads of a process that run now. */
export function threadsOf(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((id) => {
    const task = `/proc/${pid}/task/${id}`
    try {
      const [ran] = schedstat(task)
      const name = readFileSync(`${task}/comm`, 'utf8').trim()
      return [{ id: Number(id), name, cpuSeconds: ran / 1e9 }]
    } catch {
      return [] // it has ended meanwhile
    }
  })
}

/** CPU seconds of all threads of a process that run now. */
export function cpuSecondsOf(pid: number): number {
  return threadsOf(pid).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
}

/** What a process has in memory, in bytes, as the kernel counts it. */
export interface MemoryUse {
  /** Resident, what is shared with others included. */
  readonly rss: number
  /** The same, what is shared divided by those who share it. */
  readonly pss: number
  /** Anonymous: heaps and stacks. */
  readonly anonymous: number
  /** Of files: programs and libraries. */
  readonly file: number
  /** Shared memory: what guests gave, and DPDK's where there are no hugepages. */
  readonly shared: number
  /** Hugepages, which are not in `rss`. */
  readonly huge: number
}

export function memoryOf(pid: number): MemoryUse {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = (text: string, key: string) =>
    1024 * Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
  return {
    rss: bytes(status, 'VmRSS'),
    pss: bytes(rollup, 'Pss'),
    anonymous: bytes(status, 'RssAnon'),
    file: bytes(status, 'RssFile'),
    shared: bytes(status, 'RssShmem'),
    huge: bytes(status, 'HugetlbPages'),
  }
}
