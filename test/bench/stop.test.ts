/** The bench can be stopped at any moment: nothing is left behind, and what was measured until then is written. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../../bench/json-report.js'
import type { RatesResult } from '../../bench/rates/result.js'
import { SECTIONS } from '../../bench/sections.js'
import { socketFolder } from '../support/loopback.js'
import { startBench, wellFormed } from './support.js'

const skip = availableParallelism() < 2 && 'the bench needs two CPUs'

/** How soon after a signal the bench has to be gone. */
const GONE_MS = 15_000

/** When to stop it. */
interface Moment {
  readonly args: readonly string[]
  readonly signal: NodeJS.Signals
  /** What it says before, */
  readonly after: RegExp
  /** and for how long it is left alone then. */
  readonly delayMs: number
}

async function stopAt({ args, signal, after, delayMs }: Moment) {
  using folder = socketFolder()
  using output = socketFolder()
  const [json, html] = [join(output.path, 'out.json'), join(output.path, 'out.html')]
  const before = network()
  const files = ['--json', json, '--html', html, '--memory', 'memfd']
  const { child, ended, said } = startBench([...args, ...files], { folder: folder.path })
  while (!after.test(said())) {
    assert.equal(child.exitCode, null, said())
    await sleep(10)
  }
  await sleep(delayMs)
  assert.equal(child.exitCode, null, `it ended before it was stopped:\n${said()}`)
  const processes = processesIn(folder.path).length
  child.kill(signal)
  const killed = performance.now()
  const { code, stderr } = await ended
  assert.ok(performance.now() - killed < GONE_MS, said())
  assert.equal(code, 130, said())
  assert.match(stderr, new RegExp(`stopped by ${signal}\n$`))

  assert.deepEqual(processesIn(folder.path), [], 'processes are left')
  assert.deepEqual(readdirSync(folder.path), [], 'files are left')
  assert.deepEqual(network(), before, 'namespaces or interfaces are left')
  assert.deepEqual(readdirSync(output.path).sort(), ['out.html', 'out.json'])
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report & Partial<RatesResult>
  assert.equal(report.interrupted, `stopped by ${signal}`)
  const page = readFileSync(html, 'utf8')
  wellFormed(page)
  assert.match(page, /interrupted \(stopped by/)
  return { report, processes }
}

describe('stopped', { skip }, () => {
  const rates = ['--only', 'native-io,ts-io', '--rings', 'split']

  test('before anything was measured', async () => {
    const { report } = await stopAt({
      args: rates,
      signal: 'SIGINT',
      after: /This takes about/,
      delayMs: 0,
    })
    assert.equal(report.runs, undefined)
  })

  test('while processes start', async () => {
    await stopAt({ args: rates, signal: 'SIGTERM', after: /round 1: native-io/, delayMs: 250 })
  })

  test('while frames flow', async () => {
    const args = [...rates, '--seconds', '30']
    const { processes } = await stopAt({
      args,
      signal: 'SIGHUP',
      after: /round 1: native-io/,
      delayMs: 2000,
    })
    assert.ok(processes > 1, 'nothing but the bench itself ran')
  })

  test('in a later round: what was measured until then is written, in whole groups', async () => {
    const { report } = await stopAt({
      args: [...rates, '--seconds', '0.1'],
      signal: 'SIGINT',
      after: /round 2: ts-io/,
      delayMs: 100,
    })
    assert.deepEqual(
      report.runs?.map(({ name, samples }) => `${name} ${samples.length}`),
      ['native-io 1', 'ts-io 1'],
    )
    assert.equal(report.sections.rates?.incomplete, 'stopped by SIGINT')
  })

  test('in the second section: the first is written whole', async () => {
    const { report } = await stopAt({
      args: ['gc', 'reconnect', '--smoke'],
      signal: 'SIGTERM',
      after: /round 1: dpdk-vhost/,
      delayMs: 500,
    })
    assert.notEqual(report.sections.gc?.result, undefined)
    assert.equal(report.sections.gc?.incomplete, undefined)
    assert.equal(report.sections.reconnect?.incomplete, 'stopped by SIGTERM')
  })

  for (const { name } of SECTIONS) {
    test(`in the midst of ${name}`, async () => {
      const args = [name, '--full', '--patience', '0']
      await stopAt({ args, signal: 'SIGINT', after: /\[.* left\]/, delayMs: 1000 })
    })
  }
})

/** Processes that have the folder of a bench in their environment: it and all that it started. */
function processesIn(folder: string): string[] {
  const read = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1')
    } catch {
      return '' // it has ended
    }
  }
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && pid !== String(process.pid))
    .filter((pid) => read(pid, 'environ').includes(folder) || read(pid, 'cmdline').includes(folder))
    .map((pid) => `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ')}`)
}

/** Interfaces and named namespaces of this machine. */
function network(): string[] {
  const namespaces = existsSync('/run/netns') ? readdirSync('/run/netns') : []
  return [...namespaces, ...readdirSync('/sys/class/net')].sort()
}
