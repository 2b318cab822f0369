// What we say somebody may do with a file is what the kernel lets them.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { may, SEARCH, WRITE } from '../../../src/vif/inspect/access.js'
import { Random } from '../../headers/random.js'

const USER = { name: 'somebody', uid: 1234, gids: [2000, 3000], overrides: false }
/** Tries, as that user, and prints a 1 for each file that may be used so. */
const TRY = `
const fs = require('node:fs')
process.setgroups([${USER.gids}]); process.setgid(${USER.gids[0]}); process.setuid(${USER.uid})
const may = (path, wanted) => { try { fs.accessSync(path, wanted); return 1 } catch { return 0 } }
const { paths, wanted } = JSON.parse(fs.readFileSync(0))
console.log(JSON.stringify(paths.map((path) => wanted.map((one) => may(path, one)))))`

test('by owner, group and mode', {
  skip: process.getuid?.() === 0 ? false : 'needs root, to give files to others',
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'dv-'))
  try {
    chmodSync(folder, 0o755)
    const random = new Random(1)
    const paths = Array.from({ length: 200 }, (_, i) => {
      const path = join(folder, String(i))
      writeFileSync(path, '')
      chownSync(path, random.pick([0, 1234, 5000]), random.pick([0, 2000, 3000, 4000]))
      chmodSync(path, random.below(0o1000))
      return path
    })
    const wanted = [SEARCH, WRITE, SEARCH | WRITE]
    const input = JSON.stringify({ paths, wanted })
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', TRY], { input, timeout: 60_000 })
    const ours = paths.map((path) => {
      const { uid, gid, mode } = statSync(path)
      const file = { path, uid, gid, mode, kind: 'other', owner: '', group: '' } as const
      return wanted.map((one) => Number(may(file, USER, one)))
    })
    assert.deepEqual(ours, JSON.parse(String(stdout)), String(stderr))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
