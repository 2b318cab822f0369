// Runs test files by node's runner in two parts with one report: first those that may run beside each other, then the
// others one at a time. test.mjs calls it: run-tests.mjs TIMEOUT-SECONDS REPORTERS [--OPTION-OF-NODE...] FILE...

import { once, setMaxListeners } from 'node:events'
import { Readable } from 'node:stream'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import summary from './summary-reporter.mjs'
import { isBeside } from './tests-beside.mjs'

/** How many run beside each other. With more each would be late, and its time limits are for a small machine. */
const AT_ONCE = 2

/** What node's runner counts, and says when it ends. */
const TOTAL = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) (\d+(?:\.\d+)?)$/

const [timeout, reporters, ...rest] = process.argv.slice(2)
const files = rest.filter((arg) => !arg.startsWith('-'))
// For the tests, not for this process, whose tests are the files: a pattern of names would leave them out. Newer versions of
// node are told, those before hand on what they believe to be their own.
const execArgv = rest.filter((arg) => arg.startsWith('-'))
process.execArgv.push(...execArgv)
const parts = [
  { files: files.filter((file) => isBeside(file)), concurrency: AT_ONCE },
  // DPDK processes poll: two at once on a small machine make each other late.
  { files: files.filter((file) => !isBeside(file)), concurrency: 1 },
].filter((part) => part.files.length > 0)

const stop = new AbortController()
// Each file listens.
setMaxListeners(0, stop.signal)
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort())

const told = []
const report = Readable.from(events()).compose(new spec())
report.pipe(process.stdout)
await once(report, 'end')
if (reporters.includes('summary')) {
  for await (const line of summary(Readable.from(told))) process.stdout.write(line)
}

/** What both parts tell, and the totals of both in the end. */
async function* events() {
  const totals = new Map()
  let last
  for (const part of parts) {
    if (stop.signal.aborted) break
    const options = { ...part, execArgv, timeout: timeout * 1000, signal: stop.signal }
    for await (const event of run(options)) {
      const { type, data } = event
      const isOfPart = type === 'test:diagnostic' && data.nesting === 0
      const [, what, count] = (isOfPart && TOTAL.exec(data.message)) || []
      if (what !== undefined) {
        totals.set(what, (totals.get(what) ?? 0) + Number(count))
        last = event
        continue
      }
      if (type === 'test:fail' && !data.todo) process.exitCode = 1
      if (type === 'test:pass' || type === 'test:fail') told.push(event)
      yield event
    }
  }
  for (const [what, count] of totals) {
    yield { ...last, data: { ...last.data, message: `${what} ${count}` } }
  }
}
