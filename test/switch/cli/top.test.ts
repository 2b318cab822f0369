/** `vswitch top`: its figures, its lines, and the command in a real terminal. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { AdminServer } from '../../../src/switch/admin/admin-server.js'
import { History } from '../../../src/switch/cli/top/history.js'
import type { Look } from '../../../src/switch/cli/top/look.js'
import { ratesOf, type TopView } from '../../../src/switch/cli/top/rates.js'
import { type Screen, screenLines } from '../../../src/switch/cli/top/screen.js'
import { short, sparkline } from '../../../src/switch/cli/top/units.js'
import { socketFolder, until } from '../../support/loopback.js'
import { scriptedControl } from '../admin/scripted-control.js'
import { MAIN, vswitch } from './vswitch.js'

const LIMIT = { timeout: 240_000 }

/** A switch of one busy port, by how much of everything it has counted. */
function lookAt(at: number, counted: number, pid = 1): Look {
  const port = { name: 'vhost0', bridge: 'br0', state: 'ready' }
  const rx = { frames: counted, bytes: 100 * counted, droppedByProgram: counted / 10 }
  const tx = { frames: 2 * counted, bytes: 200 * counted, droppedRingFull: counted / 10 }
  return {
    at,
    show: {
      version: '1.2.3',
      pid,
      uptime: 61,
      bridges: [
        { name: 'br0', rules: 1, ports: [port, { ...port, name: 'idle', state: 'failed' }] },
      ],
    },
    stats: {
      ports: {
        vhost0: { rx, tx },
        idle: { rx: { frames: 0, bytes: 0 }, tx: { frames: 0, bytes: 0 } },
      },
    },
    lcores: [
      {
        name: 'lcore0',
        rxQueues: [{}, {}],
        counters: { frames: counted, busyCycles: 500 * counted, totalCycles: 1000 * at },
      },
    ],
    flows: [
      {
        bridge: 'br0',
        table: 0,
        priority: 5,
        cookie: '0x0',
        match: 'tcp',
        actions: 'normal',
        packets: counted,
        bytes: 100 * counted,
      },
    ],
  } as unknown as Look
}

test('two looks are rates', () => {
  const view = ratesOf(lookAt(1000, 100), lookAt(3000, 1100)) as TopView
  assert.equal(view.seconds, 2)
  const [vhost0, idle] = view.ports
  assert.deepEqual(vhost0?.rx, { frames: 500, bits: 400_000 })
  assert.deepEqual(vhost0?.tx, { frames: 1000, bits: 800_000 })
  assert.equal(vhost0?.drops, 100)
  assert.deepEqual(idle?.rx, { frames: 0, bits: 0 })
  const [lcore] = view.lcores
  assert.deepEqual(lcore, {
    name: 'lcore0',
    busy: 0.25,
    frames: 500,
    cyclesPerFrame: 500,
    rxQueues: 2,
  })
  assert.equal(view.flows[0]?.frames, 500)
  // A port that was made anew counts from zero; another process has nothing to do with the one before.
  assert.equal(ratesOf(lookAt(1000, 100), lookAt(2000, 40))?.ports[0]?.rx.frames, 40)
  assert.equal(ratesOf(lookAt(1000, 100), lookAt(2000, 200, 2)), undefined)
})

test('figures are short', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [0.04, '0'],
    [0.5, '0.5'],
    [7, '7'],
    [9.97, '10'],
    [999, '999'],
    [999.6, '1.00k'],
    [12_345, '12.3k'],
    [99_990, '100k'],
    [1_250_000, '1.25M'],
    [9.9e12, '9.90T'],
  ]
  for (const [value, text] of cases) assert.equal(short(value), text, String(value))
  assert.equal(sparkline([0, 1, 4, 8], 6, true), '   ▁▄▇')
  assert.equal(sparkline([0, 1, 4, 8], 3, false), '-+@'.replace('-', ':'))
  assert.equal(sparkline([0.5], 2, true, 1), ' ▄')
  assert.equal(sparkline([], 3, true), '   ')
  assert.equal(sparkline([0, 0], 3, true), '   ')
})

test('lines fit the screen, whatever its size', () => {
  const view = ratesOf(lookAt(1000, 100), lookAt(3000, 1100)) as TopView
  const many: TopView = {
    ...view,
    ports: Array.from({ length: 40 }, (_, i) => ({ ...view.ports[0]!, name: `port${i}` })),
  }
  const history = new History()
  history.add(many)
  const screen: Screen = {
    columns: 80,
    rows: 24,
    section: 'all',
    sort: 'rate',
    scroll: 0,
    trouble: undefined,
    paint: (_style, text) => text,
    unicode: true,
  }
  const drawn = (more: Partial<Screen>) => screenLines(many, history, { ...screen, ...more })
  for (const columns of [10, 40, 60, 80, 200]) {
    for (const rows of [1, 3, 5, 24, 60]) {
      for (const section of ['all', 'ports', 'lcores', 'flows'] as const) {
        const lines = drawn({ columns, rows, section })
        assert.equal(lines.length, rows)
        const widest = Math.max(...lines.map((line) => line.length))
        assert.ok(widest <= columns, `${widest} of ${columns}`)
      }
    }
  }
  const all = drawn({}).join('\n')
  assert.match(
    all,
    /^vswitch 1\.2\.3 {2}pid 1 {2}up 1m 1s {2}40 of 40 ports ready {2}busiest lcore 25%$/m,
  )
  assert.match(all, /^port0 +ready +500 +400k +1\.00k +800k +100 +▇$/m)
  assert.match(all, /^lcore0 +2 +500 +500 +25% +▂$/m)
  assert.match(all, / 500 +400k br0 +priority=5,tcp actions=normal/)
  assert.ok(all.includes('port7') && !all.includes('port39'))
  assert.ok(drawn({ section: 'ports', scroll: 100 }).some((line) => line.startsWith('port39')))
  assert.ok(!drawn({}).slice(2, -1).includes(''), 'there is no room for more')
  assert.match(drawn({ rows: 60 }).join('\n'), /\n\nport {13}.*\n(?:port.*\n){40}\n +\/s /)
  assert.match(drawn({ columns: 60 }).join('\n'), /^port0 +ready +500 +400k +1\.00k +800k +100$/m)
  const name = `n${'m'.repeat(38)}o`
  const named = { ...many, ports: [{ ...view.ports[0]!, name }] }
  const first = (columns: number) =>
    screenLines(named, history, { ...screen, columns }).find((line) => line.startsWith('nm'))
  assert.match(first(80) ?? '', /^nm{6}…m{7}o ready/)
  assert.match(first(120) ?? '', /^nm{38}o ready/)
  const [trouble = '', rates = ''] = drawn({ trouble: 'nobody there' })
  assert.match(trouble, /^nobody there/)
  assert.match(rates, /^last seen: rx /)
  const [port, lcore] = [many.ports[0]!, many.lcores[0]!]
  const uneven: TopView = {
    ...many,
    lcores: [lcore, { ...lcore, busy: 1 }],
    ports: [
      ...many.ports,
      { ...port, name: 'waits', state: 'connecting' },
      { ...port, name: 'lost', state: 'failed' },
    ],
  }
  const byState = screenLines(uneven, history, { ...screen, section: 'ports', sort: 'state' })
  assert.match(byState[0] ?? '', /busiest lcore 100%$/)
  assert.deepEqual(
    byState.slice(3, 6).map((line) => line.split(' ')[0]),
    ['lost', 'waits', 'port0'],
  )
})

/** A switch that has counted more whenever it is asked. */
function busy(pid: number, log: string[] = []) {
  let counted = 0
  const now = () => lookAt(performance.now(), counted, pid)
  return scriptedControl({
    show: () => now().show,
    stats: () => {
      counted += 1000
      return now().stats
    },
    lcores: async () => [...now().lcores],
    flows: (bridge) => {
      log.push(bridge)
      return [...now().flows]
    },
  }).control
}

test(
  '--json prints one object an interval, and ends after as many as were asked for',
  LIMIT,
  async () => {
    using folder = socketFolder()
    const socket = `${folder.path}/admin.sock`
    await using _server = await AdminServer.start(busy(1), { socket, mode: 0o600 })
    const { code, stdout } = await vswitch(['top', '--json', '-n', '3', '-i', '0.1'], { socket })
    assert.equal(code, 0)
    const views = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as TopView & { time: string })
    assert.equal(views.length, 3)
    for (const { time, ports, lcores, flows, seconds } of views) {
      assert.ok(Date.parse(time) > 0 && seconds > 0)
      assert.equal(Math.round((ports[0]?.rx.frames ?? 0) * seconds), 1000)
      assert.equal(lcores.length, 1)
      assert.equal(Math.round((flows[0]?.frames ?? 0) * seconds), 1000)
    }
    assert.equal((await vswitch(['top'], { socket })).code, 2, 'a pipe is no terminal')
    assert.equal((await vswitch(['top', '-n', '0'], { socket })).code, 2)
    assert.equal((await vswitch(['top', '-i', 'soon'], { socket })).code, 2)
    assert.equal((await vswitch(['top', '--json'], { socket: `${socket}x` })).code, 3)
  },
)

test('of very many rules only those with a cookie are asked for', LIMIT, async () => {
  using folder = socketFolder()
  const socket = `${folder.path}/admin.sock`
  const asked: string[] = []
  const base = lookAt(0, 1)
  const { control } = scriptedControl({
    show: () => ({
      ...base.show,
      bridges: base.show.bridges.map((one) => ({ ...one, rules: 1001 })),
    }),
    stats: () => base.stats,
    lcores: async () => [...base.lcores],
    flows: () => [],
    flowsLabelled: (bridge) => {
      asked.push(bridge)
      return [...base.flows]
    },
  })
  await using _server = await AdminServer.start(control, { socket, mode: 0o600 })
  const { stdout } = await vswitch(['top', '--json', '-n', '1', '-i', '0.1'], { socket })
  assert.deepEqual(asked, ['br0', 'br0'])
  assert.equal((JSON.parse(stdout) as TopView).rules, 1001)
})

/** A terminal of tmux, with a shell in it. */
class Tmux implements AsyncDisposable {
  readonly #name = `dpdk-vhost-${randomUUID()}`

  constructor(columns: number, rows: number, env: Readonly<Record<string, string>> = {}) {
    const given = Object.entries({ LANG: 'C.UTF-8', ...env }).map(
      ([name, value]) => `${name}=${value}`,
    )
    const size = ['-x', String(columns), '-y', String(rows)]
    this.#run(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      ...size,
      'env',
      '-u',
      'NO_COLOR',
      ...given,
      'PS1=ready> ',
      'sh',
    )
  }

  #run(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#name, ...args], { encoding: 'utf8', timeout: 10_000 })
  }

  keys(...keys: string[]): void {
    this.#run('send-keys', ...keys)
  }

  resize(columns: number, rows: number): void {
    this.#run('resize-window', '-x', String(columns), '-y', String(rows))
  }

  /** What is to be seen; with colours as control sequences. */
  shown(colours = false): string {
    return this.#run('capture-pane', '-p', ...(colours ? ['-e'] : []))
  }

  /** Whether a program has the other screen, and hides the cursor. */
  get modes(): string {
    return this.#run('display-message', '-p', '#{alternate_on} #{cursor_flag}').trim()
  }

  async shows(text: string | RegExp): Promise<void> {
    const seen = () => {
      const shown = this.shown()
      return typeof text === 'string' ? shown.includes(text) : text.test(shown)
    }
    await until(`the terminal shows ${text}`, seen).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.shown()}`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(
      spawn('tmux', ['-L', this.#name, 'kill-server'], { timeout: 10_000 }),
      'close',
    )
    await ended
  }
}

/** A shell's line that runs the command and writes down its pid. */
function topAt(folder: string): string {
  const command = `${process.execPath} ${MAIN} top -i 0.2 --socket ${folder}/admin.sock`
  return `sh -c 'echo $$ > ${folder}/pid; exec ${command}'`
}

function pidOf(folder: string): number {
  return Number(readFileSync(`${folder}/pid`, 'utf8'))
}

const PLAIN = '0 1'
const DRAWING = '1 0'
const noTmux = hasTmux() ? false : 'no tmux: install it'

function hasTmux(): boolean {
  try {
    execFileSync('tmux', ['-V'], { timeout: 10_000 })
    return true
  } catch {
    return false
  }
}

test('in a terminal: draws, follows size and keys, and leaves it as it was', {
  ...LIMIT,
  skip: noTmux,
}, async () => {
  using folder = socketFolder()
  const socket = `${folder.path}/admin.sock`
  await using _server = await AdminServer.start(busy(7), { socket, mode: 0o600 })
  await using tmux = new Tmux(80, 24)
  const start = async (more = '') => {
    tmux.keys(`clear; ${more} ${topAt(folder.path)}; echo code=$?`, 'Enter')
    await tmux.shows(/^vhost0 +ready/m)
  }
  const ended = async (code: number) => {
    await tmux.shows(`code=${code}`)
    assert.equal(tmux.modes, PLAIN)
    // A terminal that echoes again is no longer raw.
    tmux.keys('clear; stty -a | grep -o " icanon"; echo done', 'Enter')
    await tmux.shows(/^ ?icanon\ndone/m)
  }

  await start()
  assert.equal(tmux.modes, DRAWING)
  await tmux.shows(/^lcore0 .*%/m)
  await tmux.shows('priority=5,tcp actions=normal')
  assert.ok(tmux.shown(true).includes('\x1b[32m'), 'colours')
  assert.equal(tmux.shown().trimEnd().split('\n').length, 24)
  tmux.resize(100, 10)
  await until('it has another size', () => tmux.shown().trimEnd().split('\n').length === 10)
  tmux.resize(80, 24)
  tmux.keys('p')
  await tmux.shows('ports: q quit')
  assert.ok(!tmux.shown().includes('lcore0'))
  tmux.keys('s')
  await tmux.shows('sort: drops')
  tmux.keys('a')
  await tmux.shows(/^lcore0/m)
  tmux.keys('q')
  await ended(0)

  await start('NO_COLOR=1')
  assert.ok(!tmux.shown(true).includes('\x1b[3'), 'no colours')
  tmux.keys('C-c')
  await ended(130)

  for (const [signal, code] of [
    ['TERM', 143],
    ['HUP', 129],
  ] as const) {
    await start()
    process.kill(pidOf(folder.path), `SIG${signal}`)
    await ended(code)
  }

  await start()
  tmux.keys('C-z')
  await tmux.shows(/Stopped/)
  assert.equal(tmux.modes, PLAIN)
  tmux.keys('fg', 'Enter')
  await tmux.shows(/^vhost0 +ready/m)
  await until('it draws again', () => tmux.modes === DRAWING)
  tmux.keys('q')
  await tmux.shows('code=')
  assert.equal(tmux.modes, PLAIN)
})

test('in a terminal: waits for a switch that starts again', {
  ...LIMIT,
  skip: noTmux,
}, async () => {
  using folder = socketFolder()
  const socket = `${folder.path}/admin.sock`
  const spec = { socket, mode: 0o600 }
  const first = await AdminServer.start(busy(11), spec)
  await using tmux = new Tmux(80, 24)
  tmux.keys(topAt(folder.path), 'Enter')
  await tmux.shows('pid 11')
  await first.close()
  await tmux.shows('waiting for the switch: no switch listens')
  await using _second = await AdminServer.start(busy(12), spec)
  await tmux.shows('pid 12')
  assert.ok(!tmux.shown().includes('waiting'))

  // A terminal that goes away takes it along.
  await tmux[Symbol.asyncDispose]()
  await until('it has ended', () => !existsSync(`/proc/${pidOf(folder.path)}`))
})
