/** What the command says when it cannot do what is asked, and what scripts can go by. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { AdminServer } from '../../../src/switch/admin/admin-server.js'
import { defaultAdminSocket } from '../../../src/switch/admin/default-socket.js'
import { newProgram } from '../../../src/switch/cli/program.js'
import * as config from '../../../src/switch/config/index.js'
import type { MacView } from '../../../src/switch/control.js'
import { socketFolder } from '../../support/loopback.js'
import { scriptedControl } from '../admin/scripted-control.js'
import { MAIN, vswitch } from './vswitch.js'

const LIMIT = { timeout: 120_000 }

/** Subcommands that talk to a switch, as one would type them. */
const CLIENTS = [
  'show',
  'ports',
  'flows',
  'flows br0 tcp',
  'mac',
  'mac br0',
  'lcores',
  'stats',
  'port add x type=dpdk',
  'port del x',
  'port set x tag=1',
  'flow add actions=drop',
  'flow del tcp',
  'flow mod tcp,actions=drop',
  'flow replace actions=drop',
  'program load x.ts',
  'program unload',
  'reload',
  'stop',
]

test(
  'without a switch every subcommand says so and ends with 3; none loads DPDK',
  LIMIT,
  async () => {
    using folder = socketFolder()
    const stale = `${folder.path}/stale.sock`
    const server = createServer().listen(stale)
    await once(server, 'listening')
    // Its file stays, and nobody listens.
    const { link } = await import('node:fs/promises')
    await link(stale, `${folder.path}/left.sock`)
    server.close()
    // Loading the addon would fail.
    const env = { DPDK_VHOST_BINDING: '/nowhere/dpdk_vhost.node' }
    for (const part of [CLIENTS.slice(0, 7), CLIENTS.slice(7, 13), CLIENTS.slice(13)]) {
      await Promise.all(
        part.map(async (line, i) => {
          const socket = `${folder.path}/${i % 2 ? 'left' : 'none'}.sock`
          const { code, stdout, stderr } = await vswitch(line.split(' '), { socket, env })
          assert.equal(
            stderr,
            `vswitch: no switch listens at ${socket}; start one with: vswitch run FILE\n`,
            line,
          )
          assert.deepEqual([code, stdout], [3, ''], line)
        }),
      )
    }
  },
)

test(
  'the socket is that of --socket, else of VSWITCH_SOCKET, else the default',
  LIMIT,
  async () => {
    const flag = await vswitch(['show', '--socket', '/nowhere/a'], { socket: '/nowhere/b' })
    assert.match(flag.stderr, /at \/nowhere\/a;/)
    const before = await vswitch(['--socket', '/nowhere/a', 'show'])
    assert.match(before.stderr, /at \/nowhere\/a;/)
    const env = await vswitch(['show'], { socket: '/nowhere/b' })
    assert.match(env.stderr, /at \/nowhere\/b;/)
    for (const [uid, folder] of [
      [0, ''],
      [1000, '/run/user/1000'],
      [1000, '/x'],
      [1000, ''],
    ] as const) {
      assert.equal(defaultAdminSocket(uid, folder), config.defaultAdminSocket(uid, folder))
    }
  },
)

test('no permission is told as such', LIMIT, async () => {
  using folder = socketFolder()
  const { control } = scriptedControl({})
  const socket = `${folder.path}/admin.sock`
  await using _server = await AdminServer.start(control, { socket, mode: 0o600 })
  chmodSync(folder.path, 0o755)
  // Root may do anything, so somebody else asks; and if we are not root, nobody may.
  const isRoot = process.getuid?.() === 0
  if (!isRoot) chmodSync(socket, 0o000)
  const { code, stderr } = await vswitch(['show'], isRoot ? { socket, uid: 65534 } : { socket })
  assert.match(stderr, /^vswitch: no permission to talk to the switch at .*admin\.mode/)
  assert.equal(code, 3)
})

test('a command line that makes no sense ends with 2, typos with a suggestion', LIMIT, async () => {
  const lines: [string, RegExp][] = [
    ['shwo', /unknown command 'shwo'\n\(Did you mean show\?\)/],
    ['flow ad x', /unknown command 'ad'[\s\S]*Did you mean add\?/],
    ['show --jsn', /unknown option '--jsn'\n\(Did you mean --json\?\)/],
    ['show br0', /too many arguments/],
    ['run', /missing required argument 'file'/],
    ['port', /Usage: vswitch port/],
    ['', /Usage: vswitch/],
  ]
  await Promise.all(
    lines.map(async ([line, expected]) => {
      const { code, stdout, stderr } = await vswitch(line === '' ? [] : line.split(' '))
      assert.match(stderr, expected, line)
      assert.deepEqual([code, stdout], [2, ''], line)
    }),
  )
})

test('every subcommand has a help with examples that it understands', LIMIT, async () => {
  const { code, stdout } = await vswitch(['--help'])
  assert.equal(code, 0)
  assert.match(stdout, /Exit codes:/)
  const { code: ofHelp, stdout: help } = await vswitch(['help', 'flow', 'add'])
  assert.equal(ofHelp, 0)
  assert.match(help, /Examples:\n {2}vswitch flow add /)

  const program = newProgram(() => {})
  const all = [
    program,
    ...program.commands,
    ...program.commands.flatMap(({ commands }) => commands),
  ]
  const names = new Set(all.map((command) => command.name()))
  for (const command of all.filter((one) => one.name() !== 'help')) {
    let text = ''
    command.configureOutput({
      writeOut: (part) => {
        text += part
      },
    })
    command.outputHelp()
    const examples = text.split('Examples:\n')[1]?.split('\n').filter(Boolean) ?? []
    assert.ok(examples.length > 0, command.name())
    for (const line of examples) {
      const [, subcommand = ''] = /vswitch (\S+)/.exec(line) ?? []
      assert.ok(names.has(subcommand), line)
    }
  }
})

test('check names all problems with their places, for people and for machines', LIMIT, async () => {
  using folder = socketFolder()
  const good = `${folder.path}/good.yaml`
  writeFileSync(good, 'bridges: [{ name: br0 }]\n')
  const bad = `${folder.path}/bad.yaml`
  writeFileSync(
    bad,
    'bridges:\n  - name: br0\n    ageing: soon\nports:\n  - { name: a, tpye: dpdk }\n',
  )
  const [fine, fineJson, wrong, wrongJson, missing] = await Promise.all([
    vswitch(['check', good]),
    vswitch(['check', good, '--json']),
    vswitch(['check', bad]),
    vswitch(['check', bad, '--json']),
    vswitch(['check', `${folder.path}/god.yaml`]),
  ])
  assert.deepEqual([fine.code, fine.stderr], [0, ''])
  assert.match(fine.stdout, /good\.yaml: good: 1 bridge, 0 ports, 1 lcore\n$/)
  assert.deepEqual(JSON.parse(fineJson.stdout), { ok: true, problems: [], warnings: [] })
  assert.deepEqual([wrong.code, wrong.stdout], [1, ''])
  assert.match(wrong.stderr, /^\S+bad\.yaml:3:5: bridges\[0\]\.ageing = "soon"/)
  assert.match(wrong.stderr, /bad\.yaml:5:\d+: ports\[0\]/)
  assert.match(wrong.stderr, /: \d problems\n$/)
  assert.equal(wrongJson.code, 1)
  const { ok, problems } = JSON.parse(wrongJson.stdout)
  assert.equal(ok, false)
  assert.deepEqual([problems[0].line, problems[0].column], [3, 5])
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /god\.yaml: does not exist; did you mean good\.yaml\?/)
})

test('schema is a JSON Schema, run refuses what check refuses', LIMIT, async () => {
  using folder = socketFolder()
  const bad = `${folder.path}/bad.yaml`
  writeFileSync(bad, 'bridges: []\n')
  const [schema, run] = await Promise.all([vswitch(['schema']), vswitch(['run', bad])])
  assert.equal(schema.code, 0)
  assert.match(JSON.parse(schema.stdout).$schema, /^https:\/\/json-schema\.org\//)
  assert.equal(run.code, 1)
  assert.match(run.stderr, /^\S+bad\.yaml:1:1: bridges = \[\]/)
})

test('a reader that has seen enough is no error', LIMIT, async () => {
  using folder = socketFolder()
  const socket = `${folder.path}/admin.sock`
  const entry: MacView = {
    port: 'a',
    portId: 0,
    vlan: 0,
    mac: '02:00:00:00:00:01',
    age: 0,
    static: false,
  }
  const { control } = scriptedControl({ mac: () => Array(50_000).fill(entry) })
  await using _server = await AdminServer.start(control, { socket, mode: 0o600 })
  const pipe = `"${process.execPath}" "${MAIN}" mac br0 --socket "${socket}" | head -n 2; echo "\${PIPESTATUS[0]}"`
  const shell = spawn('bash', ['-c', pipe], { timeout: 60_000, killSignal: 'SIGKILL' })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    shell[name].on('data', (data) => {
      output[name] += data
    })
  }
  await once(shell, 'close')
  assert.equal(output.stderr, '')
  const [heading, first, code] = output.stdout.split('\n')
  assert.equal(heading, ' port  VLAN  MAC                Age')
  assert.match(first ?? '', /02:00:00:00:00:01/)
  assert.equal(code, '0')
})
