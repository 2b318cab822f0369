/** `npm run demo`, as its users run it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { processesOf } from './processes-of.js'

const MAIN = fileURLToPath(new URL('../../src/demo/main.js', import.meta.url))

interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Files it left in its folder for temporary ones. */
  readonly left: string[]
  /** Processes it left running. */
  readonly running: string[]
}

/** Runs the demo with a hard limit, and looks at what it leaves. */
async function demo(
  args: string[],
  {
    limitMs = 60_000,
    whenItSays,
  }: { limitMs?: number; whenItSays?: [RegExp, NodeJS.Signals] } = {},
): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'dm-'))
  const mark = `DEMO_TEST=${folder}`
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder, DEMO_TEST: folder, NO_COLOR: '1' },
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs)
  let stdout = ''
  let stderr = ''
  let asked = false
  const look = () => {
    if (asked || whenItSays === undefined || !whenItSays[0].test(stdout + stderr)) return
    asked = true
    child.kill(whenItSays[1])
  }
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    look()
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
    look()
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(limit)
  const left = readdirSync(folder)
  rmSync(folder, { recursive: true })
  return { code, stdout, stderr, left, running: processesOf(mark) }
}

describe('the demo', { timeout: 150_000 }, () => {
  test('--json ends with one object that says how it went', async (t) => {
    const started = performance.now()
    const { code, stdout, stderr, left, running } = await demo(['--json'])
    assert.equal(code, 0, stdout + stderr)
    assert.ok(performance.now() - started < 60_000)
    const lines = stdout.trimEnd().split('\n')
    assert.equal(lines.length, 1, stdout)
    t.diagnostic(lines[0] as string)
    const result = JSON.parse(lines[0] as string)
    assert.deepEqual(Object.keys(result), ['ok', 'pings', 'frames', 'mpps', 'resumeMs', 'lost'])
    assert.equal(result.ok, true)
    assert.ok(result.pings.sent > 0)
    assert.equal(result.pings.answered, result.pings.sent)
    assert.ok(result.frames > 10_000, `${result.frames} frames`)
    assert.ok(result.mpps > 0.005, `${result.mpps} Mpps`)
    assert.ok(result.resumeMs > 20 && result.resumeMs < 10_000, `${result.resumeMs} ms`)
    assert.ok(result.lost > 0, 'a killed switch that loses nothing was not killed')
    assert.deepEqual({ left, running }, { left: [], running: [] })

    for (const part of [
      /ready/,
      /5 of 5 answered/,
      /Gbit\/s/,
      /cycles\/frame/,
      /killed/,
      /Summary/,
    ])
      assert.match(stderr, part)
    // What it says of the interruption are its own two processes.
    const [, first, second] =
      /process (\d+) killed[\s\S]*process (\d+) switches/.exec(stderr) ?? assert.fail(stderr)
    assert.notEqual(first, second)
  })

  test('Ctrl-C leaves nothing behind', async () => {
    for (const moment of [/two hosts/i, /killed\n/]) {
      const { code, stdout, left, running } = await demo(['--json'], {
        whenItSays: [moment, 'SIGINT'],
      })
      assert.deepEqual({ code, left, running }, { code: 130, left: [], running: [] }, `${moment}`)
      assert.deepEqual(JSON.parse(stdout), { ok: false, reason: 'interrupted' })
    }
  })

  test('--help and what is not an option', async () => {
    const help = await demo(['--help'])
    assert.equal(help.code, 0)
    assert.match(help.stdout, /Usage: npm run demo/)
    const wrong = await demo(['--jsn'])
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /Unknown option '--jsn'/)
    assert.deepEqual([...help.left, ...wrong.left], [])
  })
})
