/** `vswitch capture` against a switch with real hosts, read by tcpdump and tshark while traffic runs. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { AdminClient } from '../../../src/switch/admin/client.js'
import type { CaptureView } from '../../../src/switch/control.js'
import { TestHost } from '../../../src/testkit/index.js'
import { until } from '../../support/loopback.js'
import { MAIN, RunningSwitch } from './vswitch.js'

const LIMIT = { timeout: 240_000 }
const isThere = (command: string) => spawnSync(command, ['--version']).status === 0
const withTcpdump = { ...LIMIT, skip: !isThere('tcpdump') }
const withTshark = { ...LIMIT, skip: !isThere('tshark') || !isThere('capinfos') }

suite('a capture of a running switch', LIMIT, () => {
  let running: RunningSwitch
  const hosts: TestHost[] = []
  const host = (index: number) => hosts[index] as TestHost

  before(async () => {
    running = await RunningSwitch.start({
      bridges: [{ name: 'br0' }],
      lcores: [{ name: 'l0' }, { name: 'l1' }],
    })
    for (const [i, name] of ['a', 'b', 'c'].entries()) {
      const ran = await running.ask([
        ...['port', 'add', name, 'type=dpdkvhostuserclient', `path=${running.path(name)}.sock`],
        // `c` has the VLAN of the others in a tag.
        ...(name === 'c' ? ['trunks=[5]'] : ['tag=5']),
      ])
      assert.equal(ran.code, 0, ran.stderr)
      hosts.push(
        await TestHost.start({ path: running.path(`${name}.sock`), ip: `10.0.0.${i + 1}` }),
      )
    }
    for (const one of hosts) await one.linkUp()
    assert.equal((await host(0).ping('10.0.0.2', { count: 3 })).received, 3)
  }, LIMIT)

  after(async () => {
    for (const one of hosts) await one.close()
    await running?.[Symbol.asyncDispose]()
  })

  /** Begins `vswitch capture`; resolves once the switch knows of it. */
  const begin = async (...args: string[]) => {
    const seen = Math.max(0, ...(await views()).map(({ id }) => id))
    const child = spawn(process.execPath, [MAIN, 'capture', ...args], {
      env: { ...process.env, VSWITCH_SOCKET: running.socket },
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
    const output = collect(child)
    while (!(await views()).some(({ id }) => id > seen)) {
      assert.equal(child.exitCode, null, output.stderr)
    }
    return { child, output, ended: once(child, 'close').then(([code]) => code as number) }
  }
  const views = (): Promise<CaptureView[]> => new AdminClient(running.socket).captures()
  const ended = async () => {
    while ((await views()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  test('is a line a frame for people, and says what it saw at its end', LIMIT, async () => {
    const capture = await begin('a', '--filter', 'icmp')
    assert.equal((await host(0).ping('10.0.0.2', { count: 3 })).received, 3)
    await until('six lines', () => capture.output.stdout.split('\n').length > 6)
    capture.child.kill('SIGINT')
    assert.equal(await capture.ended, 0)
    const lines = capture.output.stdout.trimEnd().split('\n')
    assert.equal(lines.length, 6)
    assert.match(
      lines[0] ?? '',
      /^\d\d:\d\d:\d\d\.\d{6} a rx [\da-f:]{17} > [\da-f:]{17}, 10\.0\.0\.1 > 10\.0\.0\.2: ICMP type 8, length \d+$/,
    )
    assert.match(lines[1] ?? '', / a tx .* 10\.0\.0\.2 > 10\.0\.0\.1: ICMP type 0,/)
    assert.match(capture.output.stderr, /^6 frames captured, \d+ seen, 0 lost/)
  })

  test('goes through a pipe to tcpdump while traffic runs', withTcpdump, async () => {
    const command = `${process.execPath} ${MAIN} capture a,b --filter icmp -c 8 -w - | tcpdump -n -e -r -`
    const child = spawn('sh', ['-c', command], {
      env: { ...process.env, VSWITCH_SOCKET: running.socket },
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
    const output = collect(child)
    const closed = once(child, 'close')
    await until('it is there', () => output.stderr.includes('reading from file'))
    assert.equal((await host(0).ping('10.0.0.2', { count: 2 })).received, 2)
    await closed
    const lines = output.stdout.trimEnd().split('\n')
    // Each request and reply on two ports.
    assert.equal(lines.length, 8, output.stdout + output.stderr)
    assert.equal(lines.filter((line) => line.includes('ICMP echo request')).length, 4)
    await ended()
  })

  test('has ports as interfaces, directions, order, tags and statistics', withTshark, async () => {
    const file = running.path('all.pcapng')
    const capture = await begin('--all', '-w', file)
    const before = Date.now()
    const sendings = [
      await host(0).startSending({ to: host(1), rate: 3000, flows: 4, size: 'imix' }),
      await host(1).startSending({ to: host(0), rate: 3000, flows: 4, size: 1514 }),
    ]
    await until('many are sent', async () => (await sendings[0]!.progress()).frames > 500)
    for (const sending of sendings) await sending.stop()
    // In its ring each is behind all frames of its host.
    assert.equal((await host(0).ping('10.0.0.2', { count: 1 })).received, 1)
    capture.child.kill('SIGINT')
    assert.equal(await capture.ended, 0, capture.output.stderr)
    const after = Date.now()
    const frames = fields(file, [
      'frame.interface_name',
      'frame.packet_flags_direction',
      'frame.time_epoch',
      'frame.len',
      'vlan.id',
    ])
    const said = /^(\d+) frames captured, (\d+) seen, 0 lost/.exec(capture.output.stderr)
    assert.equal(frames.length, Number(said?.[1]))
    assert.equal(said?.[1], said?.[2])
    const on = (port: string, direction: string) =>
      frames.filter(
        (frame) => frame[0] === port && Number(frame[1]) === (direction === 'rx' ? 1 : 2),
      )
    // Each frame once as received, once as sent.
    assert.ok(on('a', 'rx').length > 500, String(on('a', 'rx').length))
    assert.equal(
      on('a', 'rx').length + on('b', 'rx').length,
      on('a', 'tx').length + on('b', 'tx').length,
    )
    const times = frames.map((frame) => Number(frame[2]) * 1000)
    assert.ok((times[0] as number) > before - 50 && (times.at(-1) as number) < after + 50)
    // An lcore that had no turn between a stamp and its ring brings frames after younger ones of the other: each has
    // its own in order.
    for (const [from, to] of ['ab', 'ba'] as const) {
      const own = frames.filter(([port, flag]) => port === (Number(flag) === 1 ? from : to))
      const stamps = own.map((frame) => frame[2] as string)
      assert.deepEqual(stamps, stamps.toSorted())
    }
    const info = execFileSync('capinfos', [file], { encoding: 'utf8' })
    for (const port of ['a', 'b', 'c']) assert.match(info, new RegExp(`Name = ${port}\\n`))
    assert.match(info, /Time precision = nanoseconds/)
    assert.match(info, /Number of stat entries = 1/)
  })

  test('of a flood has a frame on each port, in the form it leaves in', withTshark, async () => {
    const file = running.path('flood.pcapng')
    const capture = await begin('--all', '--filter', 'arp or vlan', '-w', file)
    await host(0).ping('10.0.0.77', { count: 1, timeoutMs: 200 })
    const matched = async () => Object.values((await views())[0]?.ports ?? {}).map((p) => p.matched)
    await until('it is on three ports', async () => (await matched()).every((n) => n > 0))
    capture.child.kill('SIGTERM')
    assert.equal(await capture.ended, 0)
    const frames = fields(file, [
      'frame.interface_name',
      'frame.packet_flags_direction',
      'vlan.id',
    ]).map(([port, direction, vlan]) => `${port} ${Number(direction)} ${vlan}`)
    assert.deepEqual([...new Set(frames)].sort(), ['a 1 ', 'b 2 ', 'c 2 5'])
  })

  test('keeps the beginning of frames, and is cut in whole blocks', withTshark, async () => {
    const file = running.path('short.pcapng')
    const capture = await begin('a', '--snaplen', '61', '--direction', 'rx', '-c', '5', '-w', file)
    await host(0).ping('10.0.0.2', { count: 10, size: 200 })
    assert.equal(await capture.ended, 0)
    const frames = fields(file, ['frame.cap_len', 'frame.len', 'frame.interface_name'])
    assert.equal(frames.length, 5)
    for (const [captured, length, port] of frames) {
      assert.equal(Number(captured), Math.min(61, Number(length)))
      assert.equal(port, 'a')
    }
  })

  test('ends when its reader has seen enough', withTcpdump, async () => {
    const command = `${process.execPath} ${MAIN} capture a -w - | head -c 10; echo done`
    const child = spawn('sh', ['-c', command], {
      env: { ...process.env, VSWITCH_SOCKET: running.socket },
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
    const output = collect(child)
    const closed = once(child, 'close')
    while (child.exitCode === null && !output.stdout.includes('done')) {
      await host(0).ping('10.0.0.2', { count: 1 })
    }
    await closed
    assert.equal(output.stderr, '')
    await ended()
  })

  test('of a port goes on when the port was away', withTshark, async () => {
    const file = running.path('away.pcapng')
    const capture = await begin('b', '--filter', 'icmp', '-w', file)
    assert.equal((await host(0).ping('10.0.0.2', { count: 2 })).received, 2)
    assert.equal((await running.ask(['port', 'del', 'b'])).code, 0)
    const added = await running.ask([
      ...[
        'port',
        'add',
        'b',
        'type=dpdkvhostuserclient',
        `path=${running.path('b')}.sock`,
        'tag=5',
      ],
    ])
    assert.equal(added.code, 0, added.stderr)
    await host(1).linkUp()
    assert.ok((await host(0).ping('10.0.0.2', { count: 5 })).received > 0)
    capture.child.kill('SIGINT')
    assert.equal(await capture.ended, 0)
    const names = fields(file, ['frame.interface_id', 'frame.interface_name'])
    assert.ok(names.length > 5, String(names.length))
    for (const name of names) assert.deepEqual(name, ['0', 'b'])
  })

  test('is refused where it cannot be', LIMIT, async () => {
    const cases: [string[], number, RegExp][] = [
      [[], 2, /name ports, or give --all/],
      [['a', '--all'], 2, /name ports, or give --all/],
      [['nobody'], 1, /no port is called 'nobody'; there are/],
      [['a', '--filter', 'tcp prot 80'], 1, /capture: filter = .* syntax error/],
      [['a', '--filter', `port 1${' or 2'.repeat(400)}`], 1, /at most 1024 characters/],
      [['a', '--snaplen', '0'], 1, /snaplen = 0/],
      [['a', '--count', 'many'], 2, /whole number/],
      [['a', '-w', '/nowhere/x', '-c', '1'], 1, /cannot write \/nowhere\/x/],
    ]
    for (const [args, code, message] of cases) {
      const ran = await running.ask(['capture', ...args])
      assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stderr}`)
      assert.match(ran.stderr, message)
    }
    await ended()
  })

  test('says no to the seventeenth at once', LIMIT, async () => {
    const client = new AdminClient(running.socket)
    const many = Array.from({ length: 100 }, () => client.capture({ ports: ['a'] }))
    const answers = await Promise.allSettled(many)
    const begun = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? answer.reason : []))
    assert.deepEqual([begun.length, refused.length], [16, 84])
    assert.match(refused[0].message, /16 captures run, and no more may; end one first/)
    // They cost the traffic nothing but time.
    assert.equal((await host(0).ping('10.0.0.2', { count: 3 })).received, 3)
    for (const { stream } of begun) stream.destroy()
    await ended()
  })

  test('ends with its statistics when the switch does', withTshark, async () => {
    const file = running.path('stop.pcapng')
    const capture = await begin('--all', '-w', file)
    assert.equal((await host(0).ping('10.0.0.2', { count: 2 })).received, 2)
    assert.equal((await running.ask(['stop'])).code, 0)
    assert.equal(await capture.ended, 0, capture.output.stderr)
    assert.match(capture.output.stderr, /\d+ frames captured, \d+ seen, 0 lost/)
    assert.ok(fields(file, ['frame.number']).length >= 4)
  })
})

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (data) => {
      output[name] += data
    })
  }
  return output
}

/** Fields of the frames of a file, as tshark sees them. */
function fields(file: string, names: readonly string[]): string[][] {
  assert.ok(readFileSync(file).length > 0)
  const args = ['-n', '-r', file, '-T', 'fields', ...names.flatMap((name) => ['-e', name])]
  const output = execFileSync('tshark', args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 27,
    // It does not like to be root.
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'))
}
