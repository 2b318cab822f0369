/** Every subcommand by its real command line, against a switch with real hosts. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import type { BridgeView, FlowView, MacView, PortView } from '../../../src/switch/control.js'
import { TestHost } from '../../../src/testkit/index.js'
import { type Ran, RunningSwitch } from './vswitch.js'

const LIMIT = { timeout: 240_000 }

suite('a running switch', LIMIT, () => {
  let running: RunningSwitch
  const hosts: TestHost[] = []

  before(async () => {
    running = await RunningSwitch.start({ bridges: [{ name: 'br0' }], lcores: [{ name: 'l0' }] })
    for (const [i, name] of ['a', 'b'].entries()) {
      const host = await TestHost.start({
        path: running.path(`${name}.sock`),
        ip: `10.0.0.${i + 1}`,
      })
      hosts.push(host)
    }
  }, LIMIT)

  after(async () => {
    for (const host of hosts) await host.close()
    await running[Symbol.asyncDispose]()
  })

  /** What a subcommand that succeeds prints. */
  const ok = async (...args: string[]): Promise<string> => textOf(await running.ask(args), args)
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse(await ok(...args, '--json'))

  test('port add, and the hosts find each other', async () => {
    for (const name of ['a', 'b']) {
      const text = await ok(
        ...['port', 'add', name, 'type=dpdkvhostuserclient', `path=${running.path(name)}.sock`],
        ...(name === 'a' ? ['tag=10'] : ['--bridge', 'br0', 'tag=10']),
      )
      assert.match(
        text,
        new RegExp(`^id +name +bridge .*\\n +\\d+ +${name} +br0 +dpdkvhostuserclient`),
      )
    }
    for (const host of hosts) await host.linkUp()
    const { sent, received } = await (hosts[0] as TestHost).ping('10.0.0.2', { count: 3 })
    assert.equal(received, sent)
  })

  test('show, ports', async () => {
    const text = await ok('show')
    assert.match(text, /^vswitch \d+\.\d+\.\d+\n {4}pid: \d+, up /)
    assert.match(
      text,
      / {4}Bridge br0\n {8}decides: normal\n {8}macs: 2 of \d+\n {8}Port a\n {12}tag: 10\n {12}Interface a\n {16}type: dpdkvhostuserclient\n {16}options: \{vhost-server-path=".*a\.sock"\}\n {16}state: ready\n/,
    )
    const { bridges } = await json<{ bridges: BridgeView[] }>('show')
    assert.deepEqual(
      bridges.map(({ name, ports }) => [name, ports.map((port) => port.name)]),
      [['br0', ['a', 'b']]],
    )
    const [heading, ...rows] = (await ok('ports')).trimEnd().split('\n')
    assert.match(heading ?? '', /^id +name +bridge +type +state +vlan +rxq +txq +mtu +path$/)
    assert.match(rows[0] ?? '', / a +br0 +dpdkvhostuserclient +ready +access 10 +0 +0 +1500 +\//)
    const ports = await json<PortView[]>('ports')
    assert.deepEqual(
      ports.map(({ name, state }) => [name, state]),
      [
        ['a', 'ready'],
        ['b', 'ready'],
      ],
    )
  })

  test('mac, with and without its bridge, and --flush', async () => {
    const [heading, ...rows] = (await ok('mac')).trimEnd().split('\n')
    assert.equal(heading, ' port  VLAN  MAC                Age')
    assert.equal(rows.length, 2)
    for (const row of rows)
      assert.match(row, /^ {4}[ab] {4}10 {2}([\da-f]{2}:){5}[\da-f]{2} {2} +\d+$/)
    assert.equal((await json<MacView[]>('mac', 'br0')).length, 2)
    assert.equal(await ok('mac', '--flush'), '2 addresses forgotten\n')
    assert.deepEqual(await json('mac', 'br0'), [])
    assert.deepEqual(await json('mac', '--flush'), { flushed: 0 })
    const refused = await running.ask(['mac', 'br7'])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /br7/)
  })

  test('lcores and stats', async () => {
    assert.match(
      await ok('lcores'),
      /^lcore thread l0 core_id any:\n {2}isolated : false\n {2}port: a {17}queue-id: {2}0 \(enabled\)\n {2}port: b .*\n {2}usage: +\d+ %\n/,
    )
    const [lcore] = await json<{ name: string; counters: { polls: number } }[]>('lcores')
    assert.equal(lcore?.name, 'l0')
    assert.ok((lcore?.counters.polls ?? 0) > 0)
    const text = await ok('stats')
    assert.match(
      text,
      /^2 ports\n {2}port "a": rx pkts=\d+, bytes=\d+, drop=\d+, errs=0, over=0\n {11}tx pkts=/,
    )
    const own = await ok('stats', 'b')
    assert.match(own, /^1 port\n {2}port "b": rx pkts=[1-9]/)
    assert.doesNotMatch(own, /"a"/)
    const missing = await running.ask(['stats', 'c'])
    assert.equal(missing.code, 1)
    assert.equal(missing.stderr, 'vswitch: no port is called c; there are: a, b\n')
  })

  test('flow add, mod, del and replace, from arguments, files and standard input', async () => {
    assert.equal(await ok('flow', 'add', 'priority=7,in_port=a,actions=output:b'), '1 rule added\n')
    const file = running.path('rules.txt')
    writeFileSync(
      file,
      '# back\npriority=7,in_port=b,actions=output:a # and so on\n\ntcp,actions=drop\n',
    )
    assert.equal(await ok('flow', 'add', 'br0', '--file', file), '2 rules added\n')
    const input = 'udp,cookie=0x1f,idle_timeout=60,actions=drop\n'
    assert.equal(textOf(await running.ask(['flow', 'add', '-'], { input })), '1 rule added\n')

    const { sent, received } = await (hosts[0] as TestHost).ping('10.0.0.2', { count: 3 })
    assert.equal(received, sent)
    const lines = await ok('flows', 'br0', 'in_port=a')
    assert.match(
      lines,
      /^ cookie=0x0, duration=\d+\.\d{3}s, table=0, n_packets=[1-9]\d*, n_bytes=\d+, idle_age=\d+, priority=7,in_port=a actions=output:b\n$/,
    )
    assert.match(await ok('flows', 'udp'), /cookie=0x1f, .* idle_timeout=60, .* udp actions=drop/)
    const all = await json<FlowView[]>('flows')
    assert.deepEqual(
      all.map(({ match }) => match).filter((match) => match !== ''),
      ['tcp', 'udp', 'in_port=a', 'in_port=b'],
    )
    assert.match(await ok('flows', '--explain'), /^table +search +rules +fields\n/)
    const explained = await json<{ source: string }>('flows', 'br0', '--explain')
    assert.equal(typeof explained.source, 'string')

    assert.equal(await ok('flow', 'mod', 'tcp,actions=output:b'), '1 rule modified\n')
    assert.match(await ok('flows', 'tcp'), /tcp actions=output:b/)
    assert.equal(await ok('flow', 'del', '--strict', 'tcp,tp_dst=80'), '0 rules deleted\n')
    assert.equal(await ok('flow', 'del', 'br0', 'tcp', 'udp'), '2 rules deleted\n')

    const replace = await json(
      'flow',
      'replace',
      'priority=7,in_port=a,actions=output:b',
      'actions=normal',
    )
    assert.equal((replace as { added: number }).added, 1)
    const kept = await json<FlowView[]>('flows', 'in_port=a')
    assert.ok((kept[0]?.packets ?? 0) > 0, 'a rule that stays keeps its counters')

    const refused = await running.ask(['flow', 'add', 'tpc,actions=drop', 'in_port=a'])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /rules\[0\].*tpc[\s\S]*rules\[1\].*actions/)
    for (const args of [
      ['flow', 'del'],
      ['flow', 'add'],
      ['flow', 'replace', 'br0'],
      ['flow', 'mod'],
    ]) {
      const { code, stderr } = await running.ask(args)
      assert.equal(code, 2, args.join(' '))
      assert.match(stderr, /^vswitch: which rules\? give /)
    }
    await ok('flow', 'del', '--all')
    assert.equal(await ok('flows'), '')
  })

  test('program load and unload', async () => {
    const file = running.path('drop.ts')
    writeFileSync(
      file,
      `export default ({ data }: { data: { unused: number } }) => {
         if (data.unused !== 7) throw new Error('where is my data?')
         return { burst() {} }
       }`,
    )
    const text = await ok('program', 'load', file, '--data', '{"unused": 7}')
    assert.equal(text, `bridge br0: ${file} decides now\n`)
    assert.match(await ok('show'), /decides: program ".*drop\.ts"/)
    const lost = await (hosts[0] as TestHost).ping('10.0.0.2', { count: 2, intervalMs: 20 })
    assert.equal(lost.received, 0)
    assert.equal(
      await ok('program', 'unload', '--bridge', 'br0'),
      'bridge br0: its program was unloaded\n',
    )

    const json = await running.ask(['program', 'load', file, '--data', '{'])
    assert.equal(json.code, 2)
    const missing = await running.ask(['program', 'load', '/nowhere.ts'])
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /\/nowhere\.ts/)
  })

  test('port set, port del, and what cannot be', async () => {
    await ok('flow', 'replace', 'actions=normal')
    assert.match(await ok('port', 'set', 'b', 'tag=20'), / b +br0 .* access 20 /)
    assert.match(await ok('port', 'set', 'b', 'tag='), / b +br0 .* trunk /)
    assert.match(await ok('port', 'set', 'b', 'adminState=down'), /closed \(down\)/)
    const remade = await ok('port', 'set', 'b', 'mtu=1400', 'adminState=up')
    assert.match(remade, /^b was made anew/)
    const bad = await running.ask(['port', 'set', 'b', 'tag=4097', 'colour=red'])
    assert.equal(bad.code, 1)
    assert.match(bad.stderr, /colour = "red" is not an option[\s\S]*tag = 4097/)
    assert.equal(await ok('port', 'del', 'b'), 'b deleted\n')
    const gone = await running.ask(['port', 'del', 'b'])
    assert.equal(gone.code, 1)
    assert.equal(await ok('port', 'del', 'b', '--if-exists'), '')
    const usage = await running.ask(['port', 'add', 'c', 'tag'])
    assert.equal(usage.code, 2)
    assert.match(usage.stderr, /"tag" is no KEY=VALUE/)
  })

  test('reload tells what it did; with two bridges one has to be named', async () => {
    running.write({ bridges: [{ name: 'br0' }, { name: 'br1' }], lcores: [{ name: 'l0' }] })
    assert.equal(await ok('reload'), 'bridge br1: added\n')
    assert.equal(await ok('reload'), 'nothing has changed\n')
    const which = await running.ask(['mac'])
    assert.equal(which.code, 2)
    assert.equal(
      which.stderr,
      'vswitch: which bridge? there are br0, br1; name one first, or by --bridge\n',
    )
    await ok('mac', 'br1')
    await ok('flow', 'add', 'br1', 'actions=drop')
    assert.match(await ok('flows', '--bridge', 'br1'), /actions=drop/)
    writeFileSync(running.config, '{"bridges": [{"name": "br 0"}]}')
    const refused = await running.ask(['reload'])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /vswitch\.json:1:\d+: bridges\[0\]\.name/)
    await ok('mac', 'br1')
  })

  test('a second switch on the same socket is refused', async () => {
    running.write({ bridges: [{ name: 'br0' }] })
    const second = await running.ask(['run', running.config])
    assert.equal(second.code, 1)
    assert.match(second.stderr, /another process listens at .*admin\.sock/)
    await ok('show')
  })

  test('stop returns when it has ended', async () => {
    assert.equal(await ok('stop'), 'stopped\n')
    assert.equal(await running.ended, 0)
    const { code, stderr } = await running.ask(['show'])
    assert.equal(code, 3)
    assert.match(stderr, /no switch listens at .*; start one with: vswitch run FILE/)
  })
})

function textOf({ code, stdout, stderr }: Ran, args: readonly string[] = []): string {
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
  return stdout
}
