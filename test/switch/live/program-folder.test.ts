import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  newProgramFolder,
  removeAbandonedFolders,
} from '../../../src/switch/live/program-folder.js'
import { socketFolder } from '../../support/loopback.js'

/** A folder that a process left behind. */
function abandoned(): string {
  const module = new URL('../../../src/switch/live/program-folder.js', import.meta.url).href
  const script = `import { newProgramFolder } from '${module}'; console.log(newProgramFolder())`
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 60_000,
  }).trim()
}

test('folders of processes that are no more go, all others stay', () => {
  using elsewhere = socketFolder()
  const own = newProgramFolder()
  const left = abandoned()
  writeFileSync(join(left, 'module.mjs'), '')
  const precious = join(elsewhere.path, 'precious')
  writeFileSync(precious, '')
  // Named as one that was left, but what it points to is none.
  const link = `${left}-link`
  symlinkSync(elsewhere.path, link)
  try {
    removeAbandonedFolders()
    assert.ok(!existsSync(left))
    assert.ok(existsSync(own))
    assert.ok(existsSync(link))
    assert.ok(existsSync(precious))
  } finally {
    rmSync(link)
    rmSync(own, { recursive: true })
  }
})
