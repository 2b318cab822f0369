// A cheap answer to "has anything here changed?": names, sizes and times of files, not contents.

import { createHash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inRoot } from './project.mjs'

/**
 * @param {string[]} paths files and folders, relative to the checkout; one that is absent counts as such
 * @param {string[]} facts whatever else the result depends on
 */
export function fingerprint(paths, facts = []) {
  const hash = createHash('sha256').update(JSON.stringify(facts))
  for (const path of paths) addPath(hash, path)
  return hash.digest('hex')
}

function addPath(hash, path) {
  const status = statSync(inRoot(path), { throwIfNoEntry: false })
  if (status?.isDirectory()) {
    for (const name of readdirSync(inRoot(path)).sort()) addPath(hash, join(path, name))
  } else {
    hash.update(`${path} ${status?.size} ${status?.mtimeMs}\n`)
  }
}
