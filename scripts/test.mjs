// Runs the compiled tests: npm test -- [filter ...] [--node-option ...]
// A filter is a part of a test file's path; an argument with a dash goes to node, but for --vm and --vif: then it is the
// tests with virtual machines, or with libvirt, that run, and a summary closes.

import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { children, killTree, markedProcesses } from './lib/processes.mjs'
import { inRoot, root } from './lib/project.mjs'
import { fail, say } from './lib/step.mjs'

/** A kind of long tests, whose files have a name of their own. */
const kind = ['vm', 'vif'].find((name) => process.argv.includes(`--${name}`))
/** Seconds a test file may take before node's runner stops it: processors of guests are emulated. */
const FILE_TIMEOUT = Number(process.env.DPDK_VHOST_TEST_TIMEOUT || (kind ? 900 : 300))
/** Seconds more before it is killed: the runner asks by SIGTERM, which a busy native loop never hears. */
const GRACE = Number(process.env.DPDK_VHOST_TEST_GRACE || 10)

const args = process.argv.slice(2).filter((arg) => arg !== `--${kind}`)
const extension = `.${kind ?? 'test'}.js`
const files = findTests(args.filter((arg) => !arg.startsWith('-')))
// Inherited by everything a test starts, so that what outlives its test can be found.
const mark = `DPDK_VHOST_TEST_RUN=${randomUUID()}`

// Tests look into modules: they and the processes they start load these, not the bundle of them.
const nodeOptions = `${process.env.NODE_OPTIONS ?? ''} --conditions=dpdk-vhost-source`.trim()

const runner = spawn(
  process.execPath,
  [
    '--enable-source-maps',
    inRoot('scripts/lib/run-tests.mjs'),
    String(FILE_TIMEOUT),
    kind ? 'spec,summary' : 'spec',
    ...args.filter((arg) => arg.startsWith('-')),
    ...files,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, [mark.split('=')[0]]: mark.split('=')[1], NODE_OPTIONS: nodeOptions },
  },
)

const watch = setInterval(killOverdue, 1000)
const since = new Map()

// Ctrl-C reaches the runner by itself; this process stays to clean up.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => runner.kill('SIGTERM'))

runner.on('exit', async (code, signal) => {
  clearInterval(watch)
  const left = await reapLeftovers()
  process.exitCode = code ?? 1
  if (signal) say(`The test runner was killed by ${signal}.`)
  if (left.length > 0) {
    say(`These processes outlived their test and were killed:\n  ${left.join('\n  ')}`)
    process.exitCode ||= 1
  }
})

function findTests(filters) {
  const folder = inRoot('dist/test')
  const all = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(extension))
    .map((name) => relative(root, join(folder, name)))
    .sort()
  const chosen = all.filter(
    (file) => filters.length === 0 || filters.some((part) => file.includes(part)),
  )
  if (chosen.length === 0)
    fail(`No test file matches ${filters.join(' ')}. There are:\n  ${all.join('\n  ')}`)
  return chosen
}

/** Kills a test file's process, and all it started, when it is past its time. */
function killOverdue() {
  const now = Date.now()
  for (const pid of children(runner.pid)) {
    if (!since.has(pid)) since.set(pid, now)
    if (now - since.get(pid) < (FILE_TIMEOUT + GRACE) * 1000) continue
    say(`Test process ${pid} ran for more than ${FILE_TIMEOUT + GRACE} s: killed.`)
    killTree(pid)
  }
}

async function reapLeftovers() {
  // What is just ending gets a moment to do so.
  for (let i = 0; i < 20 && markedProcesses(mark).length > 0; i++) await sleep(100)
  const left = markedProcesses(mark)
  for (const { pid } of left) killTree(pid)
  return left.map(({ pid, command }) => `${pid} ${command}`)
}
