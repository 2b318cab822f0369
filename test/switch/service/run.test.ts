/** The process of a switch: signals, reloads, its log, its metrics, its end. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { PortView } from '../../../src/switch/control.js'
import { until } from '../../support/loopback.js'
import { RunningSwitch, VswitchProcess } from '../cli/vswitch.js'

const LIMIT = { timeout: 120_000 }

const base = { bridges: [{ name: 'br0' }], lcores: [{ name: 'l0' }] }

async function portNames(running: RunningSwitch): Promise<string[]> {
  const { stdout } = await running.ask(['ports', '--json'])
  return (JSON.parse(stdout) as PortView[]).map(({ name }) => name)
}

test('SIGHUP reloads, an invalid file changes nothing, SIGTERM ends', LIMIT, async () => {
  await using running = await RunningSwitch.start(base)
  assert.equal(statSync(running.socket).mode & 0o777, 0o600)
  running.write({ ...base, ports: [running.port('a')] })
  running.process.kill('SIGHUP')
  await running.logged('reload: port a: added')
  assert.deepEqual(await portNames(running), ['a'])
  assert.equal(running.log.match(/reload: (?!SIGHUP)/g)?.length, 1, running.log)

  writeFileSync(running.config, '{"bridges": [{"name": "br0", "agening": 3}]}')
  running.process.kill('SIGHUP')
  await running.logged('reload: refused, and nothing was changed: ')
  await running.logged('bridges[0].agening')
  assert.deepEqual(await portNames(running), ['a'])

  running.process.kill('SIGTERM')
  assert.equal(await running.ended, 0)
  await running.logged('stopping: SIGTERM')
  await running.logged('the switch has ended')
  assert.ok(!existsSync(running.socket))
})

test('what a configuration hardly means is told at the start and by a reload', LIMIT, async () => {
  const flows = (count: number) =>
    Array.from({ length: count }, (_, i) => `priority=${i},actions=controller,normal`)
  const config = (count: number) => ({ bridges: [{ name: 'br0', flows: flows(count) }] })
  await using running = await RunningSwitch.start(config(1))
  assert.match(
    running.log,
    /configuration: .*vswitch\.json:1:\d+: bridges\[0\]\.flows\[0\] = .* has a copy for a controller/,
  )
  running.write(config(23))
  const { stdout } = await running.ask(['reload'])
  assert.match(stdout, /^warning: .*vswitch\.json:1:\d+: bridges\[0\]\.flows\[22\] = /m)
  await running.logged('reload: 3 more warnings; vswitch check names them all')
  assert.equal(running.log.match(/reload: .* has a copy for a controller/g)?.length, 20)
  const added = await running.ask(['flow', 'add', 'udp,actions=controller'])
  assert.match(added.stdout, /^1 rule added\nwarning: rules\[0\] = .* has a copy for a controller/)
})

test('--watch follows the configuration and the files it names', LIMIT, async () => {
  const rules = (running: RunningSwitch) => ({
    ...base,
    bridges: [{ name: 'br0', flowsFile: running.path('rules.txt') }],
  })
  await using running = await RunningSwitch.start(base, { args: ['--watch'] })
  // Left alone by what happens beside it.
  writeFileSync(running.path('other.txt'), '')
  running.write({ ...base, ports: [running.port('a')] })
  await running.logged('reload: port a: added')
  // As editors do it: a new file takes the place of the old one.
  writeFileSync(running.path('rules.txt'), 'actions=normal\n')
  writeFileSync(running.path('new'), JSON.stringify({ ...rules(running), ports: [] }))
  renameSync(running.path('new'), running.config)
  await running.logged('reload: port a: removed')
  await running.logged('reload: bridge br0: ')
  // Of which the switch hears only because the configuration names it now.
  const from = running.log.length
  writeFileSync(running.path('rules.txt'), 'tcp,actions=drop\nactions=normal\n')
  await running.logged('reload: bridge br0: ', from)
  // What is heard of first may be a file that is only half written.
  await until('it has the rule', async () =>
    (await running.ask(['flows', 'tcp'])).stdout.includes('tcp actions=drop'),
  )

  const bad = running.log.length
  writeFileSync(running.config, '{ "bridges": ')
  await running.logged('reload: refused', bad)
  const { code } = await running.ask(['flows', 'tcp'])
  assert.equal(code, 0)
  assert.doesNotMatch(running.log, /other\.txt/)
})

test('--watch notices that a link on the way leads elsewhere', LIMIT, async () => {
  await using running = await RunningSwitch.start(base, { args: ['--watch'] })
  const link = (target: string, name: string) => {
    symlinkSync(target, running.path('link'))
    renameSync(running.path('link'), running.path(name))
  }
  // As the kubelet puts a ConfigMap in place: all of its files change with one link, ..data.
  for (const [version, port] of ['a', 'b'].entries()) {
    mkdirSync(running.path(`v${version}`))
    running.write({ ...base, ports: [running.port(port)] }, `v${version}/c.json`)
  }
  symlinkSync('v0', running.path('..data'))
  link('..data/c.json', 'vswitch.json')
  await running.logged('reload: port a: added')
  link('v1', '..data')
  await running.logged('reload: port b: added')
})

test('SIGINT ends as well; a start that was interrupted ends too', LIMIT, async () => {
  await using running = await RunningSwitch.start(base)
  running.process.kill('SIGINT')
  assert.equal(await running.ended, 0)

  await using early = await RunningSwitch.start(base)
  await using second = new VswitchProcess(['run', early.config, '--socket', early.path('s2')])
  // Its socket is there before DPDK is.
  while (!existsSync(early.path('s2')) && second.process.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  second.process.kill('SIGTERM')
  assert.equal(await second.ended, 0, second.log)
  assert.ok(!existsSync(early.path('s2')))
})

test('SIGHUP while the configuration is read for the first time ends nothing', LIMIT, async () => {
  await using folder = await RunningSwitch.start(base)
  const config = folder.path('fifo')
  execFileSync('mkfifo', [config])
  await using second = new VswitchProcess(['run', config, '--socket', folder.path('s2')])
  // Resolves once it is opened for reading.
  const writer = await open(config, 'w')
  second.process.kill('SIGHUP')
  await writer.writeFile(readFileSync(folder.config))
  await writer.close()
  await until('it runs', () => second.log.includes('the switch runs'))
  second.process.kill('SIGTERM')
  assert.equal(await second.ended, 0, second.log)
})

test('an lcore that hangs does not keep the process, nor does a client', LIMIT, async () => {
  await using running = await RunningSwitch.start(base, { env: { WATCHDOG_USEC: '200000' } })
  writeFileSync(running.path('hang.js'), 'export default () => { for (;;); }')
  const load = running.ask(['program', 'load', running.path('hang.js')])
  await running.logged('lcores that do not poll: l0')
  running.process.kill('SIGTERM')
  assert.equal(await running.ended, 0)
  // Answered or not, it is over.
  await load
})

test('the log can be JSON, and changes its level with a reload', LIMIT, async () => {
  await using running = await RunningSwitch.start({ ...base, logging: { format: 'json' } })
  const lines = () =>
    running.log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; time: string; msg: string })
  const [first] = lines()
  assert.equal(first?.level, 'info')
  assert.ok(Math.abs(Date.parse(first?.time ?? '') - Date.now()) < 60_000)
  running.write({ ...base, logging: { format: 'text', level: 'debug' } })
  await running.ask(['reload'])
  const from = running.log.length
  await running.ask(['show'])
  await running.logged('debug GET /v1/show: 200', from)
})

test(
  'metrics over TCP come, move and go; an address that is taken costs only them',
  LIMIT,
  async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const listen = `127.0.0.1:${port}`
    await using running = await RunningSwitch.start({ ...base, metrics: { listen } })
    await running.logged(`metrics.listen: cannot listen at ${listen}`)
    running.write({ ...base, metrics: { listen: '127.0.0.2:0' } })
    taken.close()
    await once(taken, 'close')
    running.write({ ...base, metrics: { listen: `127.0.0.1:${port}` } })
    await running.ask(['reload'])
    running.write(base)
    await running.ask(['reload'])
    running.write({ ...base, metrics: { listen } })
    const from = running.log.length
    const { stdout } = await running.ask(['reload'])
    assert.match(stdout, /metrics/)
    await running.logged(`metrics at http://${listen}/metrics`, from)
    const scraped = await (await fetch(`http://${listen}/metrics`)).text()
    assert.match(scraped, /^vswitch_info\{version="/m)
    const alive = await fetch(`http://${listen}/healthz`)
    assert.deepEqual(await alive.json(), { alive: true })
    const ready = await fetch(`http://${listen}/readyz`)
    assert.equal(ready.status, 200)
    assert.deepEqual(await ready.json(), { ready: true, problems: [] })
    assert.equal((await fetch(`http://${listen}/v1/stop`, { method: 'POST' })).status, 404)
    assert.equal((await running.ask(['show'])).code, 0)
  },
)

test('an error that nobody caught is logged, and ends it cleanly', LIMIT, async () => {
  const thrower = new URL('./uncaught.js', import.meta.url).href
  const env = { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${thrower}` }
  await using running = await RunningSwitch.start(base, { env })
  running.process.kill('SIGUSR2')
  assert.equal(await running.ended, 1)
  await running.logged('uncaught: Error: nobody caught this\n    at ')
  await running.logged('the switch has ended')
})
