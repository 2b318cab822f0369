import { readdirSync, readFileSync } from 'node:fs'
import { schedstat } from '../schedstat.js'

/** What `/proc/stat` counts in, whatever the kernel's own clock (`USER_HZ`). */
const TICK_SECONDS = 0.01

/** Seconds that a CPU was in interrupts: where the kernel forwards frames. */
export function interruptSeconds(cpu: number): number {
  const line = new RegExp(`^cpu${cpu} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1]
  // user nice system idle iowait irq softirq
  const [, , , , , irq = 0, softirq = 0] = (line ?? '').split(' ').map(Number)
  return (irq + softirq) * TICK_SECONDS
}

/** Seconds that all threads of a process ran. */
export function processSeconds(pid: number): number {
  const tasks = `/proc/${pid}/task`
  return readdirSync(tasks).reduce((sum, tid) => {
    const [ran] = schedstat(`${tasks}/${tid}`)
    return sum + ran / 1e9
  }, 0)
}

/**
 * Cycles a second of the counter that DPDK counts in: the kernel's BogoMIPS are made of its rate, on x86 as on arm64
 * (`loops_per_jiffy` of the TSC, and of the architected timer).
 */
export function cyclesPerSecond(): number {
  const bogomips = /^bogomips\s*:\s*(\S+)/im.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]
  return Number(bogomips) * 500_000
}

/**
 * The kernel's thread that goes on with interrupts where there are many: how long it waits for its CPU tells what others
 * took of that.
 *
 * @throws Error where processes of the kernel cannot be seen
 */
export function interruptThread(cpu: number): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === `ksoftirqd/${cpu}`)
        return Number(pid)
    } catch {} // it has ended
  }
  throw new Error(`the kernel's thread ksoftirqd/${cpu} cannot be seen here: a container?`)
}
