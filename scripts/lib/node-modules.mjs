// Whether node_modules holds what package-lock.json asks for. Compared by content: a checkout of
// another commit touches the file's time without changing what it says, and `npm ci` starts from nothing.

import { readFileSync } from 'node:fs'
import { inRoot } from './project.mjs'

export function nodeModulesAreCurrent() {
  const wanted = readLock('package-lock.json')
  const installed = readLock('node_modules/.package-lock.json')
  if (!wanted || !installed) return false
  return Object.entries(wanted).every(([path, entry]) => {
    // '' is the package itself; an optional one may be for another platform.
    if (path === '' || (entry.optional && !installed[path])) return true
    return (
      installed[path]?.version === entry.version && installed[path]?.integrity === entry.integrity
    )
  })
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(inRoot(file), 'utf8')).packages
  } catch {
    return undefined
  }
}
