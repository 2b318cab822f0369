/** A switch as systemd has it: the notify protocol over a real socket, and the unit. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageRoot } from '../../../src/native/root.js'
import { DatagramReceiver } from '../../support/datagram-receiver.js'
import { socketFolder, until } from '../../support/loopback.js'
import { RunningSwitch } from '../cli/vswitch.js'

const LIMIT = { timeout: 120_000 }

const base = { bridges: [{ name: 'br0' }], lcores: [{ name: 'l0', maxSleepMs: 1 }] }

test(
  'systemd hears READY, WATCHDOG, RELOADING and STOPPING, from the main process',
  LIMIT,
  async () => {
    using folder = socketFolder()
    const path = join(folder.path, 'notify')
    await using systemd = await DatagramReceiver.start(path)
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '400000' }
    await using running = await RunningSwitch.start(base, { env })
    const ready = await systemd.find('READY=1')
    assert.equal(ready.at, 0, 'nothing is said before it serves')
    assert.match(ready.text, /^READY=1\nSTATUS=0 of 0 ports ready$/)
    assert.equal(ready.pid, running.process.pid)
    const first = await systemd.find('WATCHDOG=1')
    await systemd.find('WATCHDOG=1', first.at + 1)

    running.process.kill('SIGHUP')
    const reloading = await systemd.find('RELOADING=1')
    const [, time] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)\n/.exec(reloading.text) ?? []
    const now = process.hrtime.bigint() / 1000n
    assert.ok(now - BigInt(time ?? 0) < 60_000_000n && BigInt(time ?? 0) <= now, time)
    await systemd.find('READY=1', reloading.at + 1)
    // Whoever asks for a reload, systemd hears of it.
    const before = systemd.datagrams.length
    await running.ask(['reload'])
    const again = await systemd.find('RELOADING=1', before)
    await systemd.find('READY=1', again.at + 1)

    running.process.kill('SIGTERM')
    const stopping = await systemd.find('STOPPING=1')
    assert.equal(await running.ended, 0)
    const rest = systemd.datagrams.slice(stopping.at + 1).map(({ text }) => text)
    assert.ok(!rest.some((text) => text.includes('READY')), rest.join())
  },
)

test('an lcore that stands still costs the ping', LIMIT, async () => {
  using folder = socketFolder()
  const path = join(folder.path, 'notify')
  await using systemd = await DatagramReceiver.start(path)
  const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '200000' }
  await using running = await RunningSwitch.start(base, { env })
  await systemd.find('WATCHDOG=1')
  writeFileSync(running.path('hang.js'), 'export default () => { for (;;); }')
  const load = running.ask(['program', 'load', running.path('hang.js')])
  await running.logged('lcores that do not poll: l0')
  const pings = () => systemd.datagrams.filter(({ text }) => text === 'WATCHDOG=1').length
  // Of an lcore that was only late there may be more; of one that stands still there is none in several times what
  // systemd would wait.
  await until('the pings have ended', async () => {
    const before = pings()
    await new Promise((resolve) => setTimeout(resolve, 1000))
    return pings() === before
  })
  running.process.kill('SIGKILL')
  assert.equal((await load).code, 3)
})

test('an lcore that may sleep longer than the watchdog waits is told of', LIMIT, async () => {
  const lcores = [{ name: 'l0' }, { name: 'l1', maxSleepMs: 500 }]
  const env = { WATCHDOG_USEC: '1000000' }
  await using running = await RunningSwitch.start({ ...base, lcores }, { env })
  await running.logged(
    "lcore l1 sleeps longer than systemd's watchdog waits; raise WatchdogSec above 1 s",
  )
  assert.doesNotMatch(running.log, /lcore l0 sleeps/)
})

test('a reload refused is over as well', LIMIT, async () => {
  using folder = socketFolder()
  const path = join(folder.path, 'notify')
  await using systemd = await DatagramReceiver.start(path)
  await using running = await RunningSwitch.start(base, { env: { NOTIFY_SOCKET: path } })
  writeFileSync(running.config, '{')
  running.process.kill('SIGHUP')
  const { at } = await systemd.find('RELOADING=1')
  await systemd.find('READY=1', at + 1)
})

const unit = readFileSync(join(packageRoot(), 'src/switch/service/vswitch.service'), 'utf8')

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

test('systemd takes the unit, and finds it well shut off', { ...LIMIT, skip: !hasSystemd }, () => {
  using folder = socketFolder()
  const file = join(folder.path, 'vswitch.service')
  // The command is not installed here.
  writeFileSync(file, unit.replaceAll('/usr/local/bin/vswitch', '/bin/true'))
  const analyze = (...args: string[]) =>
    spawnSync('systemd-analyze', [...args, file], {
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
  const verified = analyze('verify')
  assert.deepEqual([verified.status, verified.stderr], [0, ''])
  const { stdout } = analyze('security', '--offline=true', '--no-pager')
  const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])
  assert.ok(exposure <= 4, stdout)
})

test('the unit says what the process needs', () => {
  for (const line of [
    'Type=notify',
    'NotifyAccess=main',
    'Restart=on-failure',
    'LimitMEMLOCK=infinity',
    'RuntimeDirectory=vswitch',
  ]) {
    assert.ok(unit.includes(`\n${line}\n`), line)
  }
  // V8 makes machine code.
  assert.doesNotMatch(unit, /^MemoryDenyWriteExecute=(yes|true)/m)
  assert.match(unit, /^WatchdogSec=\d+$/m)
})
