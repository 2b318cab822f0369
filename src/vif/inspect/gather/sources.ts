import type { SourceStatus } from '../facts.js'
import { isForbidden } from '../host.js'

/** What became of each source, in the order it was looked for. */
export class Sources {
  readonly all: SourceStatus[] = []

  add(state: SourceStatus['state'], source: string, seen: string, fix?: string): undefined {
    this.all.push({ source, state, seen, ...(fix === undefined ? {} : { fix }) })
  }

  /** What `read` returns; where it may not, or there is nothing, that is told, and undefined returned. */
  attempt<T>(source: string, path: string, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (isForbidden(error)) return this.add('unread', source, `${path} needs root`, AS_ROOT)
      const { code, message } = error as NodeJS.ErrnoException
      return this.add('absent', source, code === 'ENOENT' ? `there is no ${path}` : message)
    }
  }
}

/** How to be allowed everything. */
export const AS_ROOT = 'sudo vswitch vif inspect'
