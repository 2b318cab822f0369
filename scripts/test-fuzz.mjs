// Fuzzes sockets and rings of vhost-user ports: npm run test:fuzz -- [--seed N] [--cases N] [--asan]
// A case follows from its number alone: case N is `--seed N --cases 1`. Cases run in slices, each with a switch of its
// own; of a slice that fails, the shortest run of cases that fails again is looked for.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inRoot, root } from './lib/project.mjs'
import { sanitizers } from './lib/sanitizers.mjs'
import { say } from './lib/step.mjs'

const SLICE = 2000

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    cases: { type: 'string', default: '100000' },
    asan: { type: 'boolean', default: false },
  },
})
const first = Number(values.seed)
const all = Number(values.cases)
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(all) || all < 1) {
  say('Give --seed and --cases as whole numbers, such as --seed 1 --cases 1000.')
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), 'dv-fuzz-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const env = {
  ...process.env,
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --conditions=dpdk-vhost-source`.trim(),
  ...(values.asan ? sanitizers() : {}),
}

let done = 0
const sums = {}
for (let seed = first; seed < first + all; seed += SLICE) {
  const cases = Math.min(SLICE, first + all - seed)
  const { report, trouble, at } = play(seed, cases)
  if (trouble !== undefined) {
    say(`Case ${at} or one before it failed: ${trouble}`)
    say(`Again: npm run test:fuzz -- ${shortest(seed, at)}${values.asan ? ' --asan' : ''}`)
    process.exit(1)
  }
  done += cases
  for (const [name, count] of Object.entries(report))
    if (typeof count === 'number') sums[name] = (sums[name] ?? 0) + count
  say(`${done} of ${all} cases: ${JSON.stringify(sums)}`)
}

/** Plays a slice. `at`: the case that was being played at its end. */
function play(seed, cases) {
  const now = join(folder, 'now')
  rmSync(now, { force: true })
  const main = inRoot('dist/test/fuzz/main.js')
  const child = spawnSync(process.execPath, [main, `${seed}`, `${cases}`, now], {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: 900_000,
    killSignal: 'SIGKILL',
  })
  if (child.status === 0) return { report: JSON.parse(child.stdout.trim().split('\n').at(-1)) }
  const at = existsSync(now) ? Number.parseInt(readFileSync(now, 'utf8'), 10) : seed
  const how = child.signal ? `the switch died of ${child.signal}` : `exit code ${child.status}`
  return { trouble: `${how}\n${child.stderr.slice(-6000)}`, at }
}

/** Arguments of the shortest run of cases up to `last` that fails again. */
function shortest(seed, last) {
  for (let cases = 1; ; cases *= 8) {
    const from = Math.max(seed, last - cases + 1)
    const found = play(from, last - from + 1).trouble !== undefined
    if (found || from === seed) {
      if (!found) say('It does not fail each time.')
      return `--seed ${from} --cases ${last - from + 1}`
    }
  }
}
