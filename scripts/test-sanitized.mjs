// Runs tests against an addon built with sanitizers: test-sanitized.mjs address|thread [filter ...] [--node-option ...]
// Arguments after the first are those of test.mjs. With `thread` and no filter: the tests of lifecycles, and any race
// that is reported fails the command.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inRoot, root } from './lib/project.mjs'
import { sanitizers } from './lib/sanitizers.mjs'
import { say } from './lib/step.mjs'
import { readReports } from './lib/tsan-reports.mjs'

/** How many times as long as they state tests may take: sanitizers cost that much, and their build is not optimised. */
const PATIENCE = 4

// Not datapath/no-allocation: a million bursts take too long.
const LIFECYCLES = [
  ...['api', 'assign', 'device-gone', 'eal', 'ethdev', 'packet-memory'].map((f) => `datapath/${f}`),
  ...['lcore', 'lifecycle', 'reconnect', 'traffic/churn'],
].map((part) => `dist/test/${part}`)

const [kind, ...rest] = process.argv.slice(2)
const isFiltered = rest.some((arg) => !arg.startsWith('-'))
const args = kind === 'thread' && !isFiltered ? [...rest, ...LIFECYCLES] : rest
const env = sanitizers(kind)
const reports = mkdtempSync(join(tmpdir(), 'dv-tsan-'))
process.once('exit', () => rmSync(reports, { recursive: true, force: true }))
// A file for each process: a test may not look at what its children write.
if (kind === 'thread') env.TSAN_OPTIONS += `:log_path=${join(reports, 'report')}`

const patient = '--import=./scripts/lib/patient-tests.mjs'
const child = spawnSync(process.execPath, [inRoot('scripts/test.mjs'), patient, ...args], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    ...env,
    DPDK_VHOST_TEST_PATIENCE: String(PATIENCE),
    DPDK_VHOST_TEST_TIMEOUT: process.env.DPDK_VHOST_TEST_TIMEOUT ?? String(300 * PATIENCE),
  },
})
process.exitCode = child.status ?? 1

const races = readReports(reports, env.DPDK_VHOST_BINDING)
for (const { text, count } of races) say(`${text}\n(${count} times)\n`)
if (kind === 'thread') say(`ThreadSanitizer: ${races.length} different reports`)
if (races.length > 0) process.exitCode ||= 1
