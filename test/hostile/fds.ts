import { readdirSync, readlinkSync } from 'node:fs'
import { until } from '../support/loopback.js'

/** File descriptors of this process: what each is open on, such as `7 socket:[4711]`. */
export function openFds(): string[] {
  return readdirSync('/proc/self/fd').map((fd) => `${fd} ${target(fd)}`)
}

/** @throws when there stay more file descriptors than before; tells what those are that are new */
export async function noFdLeft(before: readonly string[]): Promise<void> {
  try {
    await until('no file descriptor is left', () => openFds().length <= before.length)
  } catch (error) {
    const more = openFds().filter((fd) => !before.includes(fd))
    throw new Error(`${(error as Error).message}; new: ${more.join(', ')}`)
  }
}

function target(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return 'closed meanwhile'
  }
}
