import { lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Makes a private folder for the modules of this process. */
export function newProgramFolder(): string {
  return mkdtempSync(join(tmpdir(), `${prefix()}${process.pid}-`))
}

/** Removes folders of processes that are no more and could not do so themselves. What cannot be removed stays. */
export function removeAbandonedFolders(): void {
  try {
    const names = readdirSync(tmpdir()).filter((name) => name.startsWith(prefix()))
    for (const name of names) {
      const path = join(tmpdir(), name)
      if (!isRunning(pidIn(name)) && isOurs(path)) rmSync(path, { recursive: true, force: true })
    }
  } catch {
    // It is no reason not to start.
  }
}

function pidIn(name: string): number {
  return Number(/^(\d+)-/.exec(name.slice(prefix().length))?.[1] ?? process.pid)
}

/** With the namespace of process ids: those of other containers are none that could be asked for here. */
function prefix(): string {
  return `vswitch-${readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')}-`
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Anybody can make names in that place, and what others own they can swap while it is being removed. */
function isOurs(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats?.isDirectory() === true && stats.uid === process.getuid?.()
}
