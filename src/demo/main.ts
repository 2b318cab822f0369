/** `npm run demo`. */
import { hostsDemo } from './hosts-demo.js'
import { HELP, readOptions } from './options.js'
import { shortcoming } from './result.js'
import { Screen } from './screen.js'
import { Stage } from './stage.js'
import { vmDemo } from './vm-demo.js'
import { setUpVirtualMachines } from './vm-setup.js'

/** The demo gives up after this time. */
const LIMIT_SECONDS = 55
/** With virtual machines: two boots in software emulation, on slow machines too. */
const VM_LIMIT_SECONDS = 180

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  let options: ReturnType<typeof readOptions>
  try {
    options = readOptions(args)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`)
    return 2
  }
  if (options.help) {
    console.log(HELP)
    return 0
  }

  const stop = new AbortController()
  let interrupted = false
  const interrupt = () => {
    interrupted = true
    stop.abort(new Error('interrupted'))
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt)

  const screen = new Screen(options.json ? process.stderr : process.stdout)
  const stage = new Stage(screen, stop.signal)
  let limit: NodeJS.Timeout | undefined
  try {
    if (options.vm) await setUpVirtualMachines(stop.signal)
    const seconds = options.vm ? VM_LIMIT_SECONDS : LIMIT_SECONDS
    limit = setTimeout(() => {
      stop.abort(new Error(`it took more than ${seconds} seconds`))
    }, seconds * 1000)
    const result = await (options.vm ? vmDemo(stage) : hostsDemo(stage))
    const reason = shortcoming(result)
    if (reason !== undefined) throw new Error(reason)
    if (options.json) console.log(JSON.stringify({ ok: true, ...result }))
    return 0
  } catch (error) {
    // What failed may have failed because the demo was stopped.
    const cause = stop.signal.aborted ? stop.signal.reason : error
    const reason = cause instanceof Error ? cause.message : String(cause)
    screen.line()
    screen.line(screen.bad(`The demo ended early: ${reason}`))
    if (options.json) console.log(JSON.stringify({ ok: false, reason }))
    return interrupted ? 130 : 1
  } finally {
    clearTimeout(limit)
    await stage.clear()
    screen.close()
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, interrupt)
  }
}
