import { readFileSync } from 'node:fs'

/**
 * What the kernel has noted of a thread.
 *
 * @param task - its folder, as `/proc/PID/task/TID`
 * @returns nanoseconds on a CPU, and nanoseconds waiting for one
 * @throws Error when it has ended, or the kernel keeps no such figures
 */
export function schedstat(task: string): [ran: number, waited: number] {
  const [ran = 0, waited = 0] = readFileSync(`${task}/schedstat`, 'utf8').split(' ').map(Number)
  return [ran, waited]
}
