// The test runner tested: in a copy with tests of its own that misbehave.

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { copyFromRoot, inRoot, type Outcome, run, temporaryFolder } from './support.js'

/** Runs scripts/test.mjs over these files of dist/test. */
function runTests(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Outcome {
  const folder = temporaryFolder(t)
  copyFromRoot(['package.json', 'scripts'], folder)
  mkdirSync(join(folder, 'dist/test'), { recursive: true })
  for (const [name, source] of Object.entries(files)) {
    const file = join(folder, 'dist/test', name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, source)
  }
  return run(process.execPath, ['scripts/test.mjs', ...args], {
    cwd: folder,
    env,
    timeoutSeconds: 60,
  })
}

const passing = "import { test } from 'node:test'\ntest('fine', () => {})\n"
const failing = "import { test } from 'node:test'\ntest('bad', () => { throw new Error('bad') })\n"

/** A killed process stays a zombie until its parent, which may be slow, takes note. */
function hasEnded(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return true
  }
}

suite('npm test', () => {
  test('runs every test file and ends with the totals', (t) => {
    const { status, stdout, output } = runTests(t, { 'a.test.js': passing, 'b.test.js': passing })
    assert.equal(status, 0, output)
    assert.match(stdout, /^ℹ pass 2$/m)
    assert.match(stdout, /^ℹ fail 0$/m)
  })

  test('fails when a test fails', (t) => {
    const { status, stdout } = runTests(t, { 'a.test.js': passing, 'b.test.js': failing })
    assert.equal(status, 1)
    assert.match(stdout, /^ℹ fail 1$/m)
  })

  test('runs only the files a word chooses', (t) => {
    const { status, stdout } = runTests(t, { 'a.test.js': passing, 'b.test.js': failing }, [
      'a.test',
    ])
    assert.equal(status, 0)
    assert.match(stdout, /^ℹ tests 1$/m)
  })

  test('hands options on to node', (t) => {
    const two = `${passing}test('other', () => { throw new Error('bad') })\n`
    const { status, stdout, output } = runTests(t, { 'a.test.js': two }, [
      '--test-name-pattern=fine',
    ])
    assert.equal(status, 0, output)
    assert.match(stdout, /^ℹ pass 1$/m)
  })

  test('with --vm runs the tests with virtual machines, and closes with a summary', (t) => {
    const both = { 'a.test.js': failing, 'b.vm.js': passing }
    const { status, stdout } = runTests(t, both, ['--vm'])
    assert.equal(status, 0)
    assert.match(stdout, /^ℹ tests 1$/m)
    assert.match(stdout, /^✔ fine +1 of 1 +0 s$/m)
  })

  test('a word that chooses nothing is an error', (t) => {
    const { status, output } = runTests(t, { 'a.test.js': passing }, ['lifecycel'])
    assert.equal(status, 1)
    assert.match(output, /No test file matches lifecycel/)
    assert.match(output, /dist\/test\/a\.test\.js/)
  })

  test('runs those beside each other that may, and the others one at a time, with one report', (t) => {
    const meeting = (own: string, other: string) => `
      import { existsSync, writeFileSync } from 'node:fs'
      import { test } from 'node:test'
      import { setTimeout as sleep } from 'node:timers/promises'
      test('meets ${other}', async () => {
        writeFileSync('${own}', '')
        for (const end = Date.now() + 20_000; !existsSync('${other}'); await sleep(5)) {
          if (Date.now() > end) throw new Error('${other} does not run')
        }
      })`
    const alone = `
      import { mkdirSync, rmdirSync } from 'node:fs'
      import { test } from 'node:test'
      import { setTimeout as sleep } from 'node:timers/promises'
      test('is alone', async () => {
        mkdirSync('alone')
        await sleep(300)
        rmdirSync('alone')
      })`
    const { status, stdout, output } = runTests(t, {
      'config/a.test.js': meeting('a', 'b'),
      'config/b.test.js': meeting('b', 'a'),
      'traffic/a.test.js': alone,
      'traffic/b.test.js': alone,
    })
    assert.equal(status, 0, output)
    assert.equal(stdout.match(/^ℹ tests \d+$/gm)?.join(), 'ℹ tests 4')
    assert.match(stdout, /^ℹ pass 4$/m)
  })

  test('knows no file to run beside others that is not there', async () => {
    const module = pathToFileURL(inRoot('scripts/lib/tests-beside.mjs')).href
    const { BESIDE } = (await import(module)) as { BESIDE: readonly string[] }
    const files = readdirSync(inRoot('dist/test'), { recursive: true, encoding: 'utf8' })
    const there = (beginning: string) => files.some((file) => file.startsWith(beginning))
    assert.deepEqual(
      BESIDE.filter((beginning) => !there(beginning)),
      [],
    )
  })

  test('kills a test that neither ends nor listens', (t) => {
    const deaf = "process.on('SIGTERM', () => {})\nfor (;;);\n"
    const limit = { DPDK_VHOST_TEST_TIMEOUT: '1', DPDK_VHOST_TEST_GRACE: '1' }
    const { status, output } = runTests(t, { 'a.test.js': deaf, 'b.test.js': passing }, [], limit)
    assert.equal(status, 1, output)
    assert.match(output, /ran for more than \d+ s: killed/)
    assert.match(output, /^ℹ pass 1$/m)
  })

  test('kills and reports what a test leaves running', (t) => {
    const leaving = `
      import { spawn } from 'node:child_process'
      import { test } from 'node:test'
      test('leaves', () => { spawn('sleep', ['3600.5'], { detached: true, stdio: 'ignore' }).unref() })`
    const { status, output } = runTests(t, { 'a.test.js': leaving })
    assert.equal(status, 1)
    const pid = Number(
      /outlived their test and were killed:\s+(\d+) sleep 3600\.5/.exec(output)?.[1],
    )
    assert.ok(pid > 0, output)
    assert.ok(hasEnded(pid), `process ${pid} still runs`)
  })
})
