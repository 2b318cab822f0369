import { readdirSync, readFileSync } from 'node:fs'

/** Command lines of running processes that have a variable, given as NAME=value, in their environment. */
export function processesOf(variable: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
      if (!environment.includes(variable)) return []
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')]
    } catch {
      return [] // it has just ended
    }
  })
}
