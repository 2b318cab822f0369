/** The admin socket, as `curl --unix-socket` and as our own client see it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { ConfigError } from 'dpdk-vhost'
import { AdminServer } from '../../../src/switch/admin/admin-server.js'
import { AdminClient } from '../../../src/switch/admin/client.js'
import { NoSwitchError, RefusedError } from '../../../src/switch/admin/client-error.js'
import type { Answered } from '../../../src/switch/admin/handler.js'
import { ROUTES } from '../../../src/switch/admin/routes.js'
import type { FlowView, SwitchControl } from '../../../src/switch/control.js'
import { socketFolder } from '../../support/loopback.js'
import { ERRORS, scriptedControl } from './scripted-control.js'

const LIMIT = { timeout: 120_000 }

async function serve(script: Partial<SwitchControl> = {}) {
  const folder = socketFolder()
  const socket = `${folder.path}/admin.sock`
  const { control, calls } = scriptedControl(script)
  const answered: Answered[] = []
  const server = await AdminServer.start(control, { socket, mode: 0o600 }, (one) =>
    answered.push(one),
  )
  return {
    socket,
    calls,
    answered,
    server,
    client: new AdminClient(socket),
    async [Symbol.asyncDispose]() {
      await server.close()
      folder[Symbol.dispose]()
    },
  }
}

/** What a user gets: status, headers and body by curl. */
async function curl(socket: string, path: string, args: readonly string[] = [], input = '') {
  const child = spawn(
    'curl',
    ['-sS', '-m', '30', '-i', '--unix-socket', socket, ...args, `http://vswitch${path}`],
    { timeout: 40_000, killSignal: 'SIGKILL' },
  )
  let output = ''
  child.stdout.on('data', (data) => {
    output += data
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  await once(child, 'close')
  const [head = '', ...rest] = output.replace('HTTP/1.1 100 Continue\r\n\r\n', '').split('\r\n\r\n')
  return {
    status: Number(head.split(' ')[1]),
    head: head.toLowerCase(),
    body: rest.join('\r\n\r\n'),
  }
}

test('every route reaches the switch with what was asked', LIMIT, async () => {
  await using served = await serve({
    flowModify: async () => 3,
    flowDelete: async () => 2,
    macFlush: () => 7,
    reload: async () => ({ changes: ['port a: added'], pending: [], warnings: [] }),
    metrics: async () => Buffer.from('up 1\n'),
  })
  const { client, calls } = served
  await client.show()
  await client.ports()
  await client.lcores()
  await client.stats()
  await client.mac('br 0')
  assert.equal(await client.macFlush('br0'), 7)
  await client.flows('br0')
  await client.flows('br0', 'table=0,tcp')
  await client.flowsLabelled('br0')
  await client.flowsExplain('br0')
  await client.flowAdd('br0', ['actions=normal', 'tcp,actions=drop'])
  assert.equal(await client.flowModify('br0', 'tcp,actions=drop', true), 3)
  assert.equal(await client.flowDelete('br0', 'tcp', false), 2)
  assert.equal(await client.flowDelete('br0', '', false), 2)
  await client.flowReplace('br0', [])
  await client.portAdd({ name: 'a' })
  await client.portDelete('a:1')
  await client.portSet('a', { tag: null })
  await client.programLoad('br0', '/p.ts', { x: 1 })
  await client.programUnload('br0')
  assert.deepEqual(await client.reload(), { changes: ['port a: added'], pending: [], warnings: [] })
  assert.equal(await client.metrics(), 'up 1\n')
  await client.stop()
  assert.deepEqual(calls, [
    ['show'],
    ['ports'],
    ['lcores'],
    ['stats'],
    ['mac', 'br 0'],
    ['macFlush', 'br0'],
    ['flows', 'br0', undefined],
    ['flows', 'br0', 'table=0,tcp'],
    ['flowsLabelled', 'br0'],
    ['flowsExplain', 'br0'],
    ['flowAdd', 'br0', ['actions=normal', 'tcp,actions=drop']],
    ['flowModify', 'br0', 'tcp,actions=drop', true],
    ['flowDelete', 'br0', 'tcp', false],
    ['flowDelete', 'br0', '', false],
    ['flowReplace', 'br0', []],
    ['portAdd', { name: 'a' }],
    ['portDelete', 'a:1'],
    ['portSet', 'a', { tag: null }],
    ['programLoad', 'br0', '/p.ts', { x: 1 }],
    ['programUnload', 'br0'],
    ['reload'],
    ['metrics'],
    ['stop'],
  ])
})

test('curl finds its way: / lists what can be asked', LIMIT, async () => {
  await using served = await serve({ metrics: async () => Buffer.from('up 1\n') })
  const { status, body } = await curl(served.socket, '/')
  assert.equal(status, 200)
  const { routes } = JSON.parse(body) as { routes: { method: string; path: string }[] }
  assert.deepEqual(
    routes.map(({ method, path }) => `${method} ${path}`),
    ROUTES.map(({ method, path }) => `${method} ${path}`),
  )
  const metrics = await curl(served.socket, '/metrics')
  assert.equal(metrics.body, 'up 1\n')
  assert.match(metrics.head, /content-type: text\/plain; version=0\.0\.4/)
  const head = await curl(served.socket, '/metrics', ['--head'])
  assert.equal(head.status, 200)
  assert.equal(head.body, '')
})

test('bigints are hexadecimal text', LIMIT, async () => {
  const flow = { cookie: 0x1fn as unknown as string } as FlowView
  await using served = await serve({ flows: () => [flow] })
  const { body } = await curl(served.socket, '/v1/bridges/br0/flows')
  assert.equal(body, '[{"cookie":"0x1f"}]\n')
})

test('each kind of error has its status', LIMIT, async () => {
  const toThrow: (() => Error)[] = []
  await using served = await serve({
    show: () => {
      throw toThrow.shift()?.()
    },
    reload: async () => Promise.reject(toThrow.shift()?.()),
  })
  for (const [kind, status] of [
    ['config', 400],
    ['notFound', 404],
    ['datapath', 409],
    ['bug', 500],
  ] as const) {
    toThrow.push(ERRORS[kind], ERRORS[kind])
    const { code = 'ERR_INTERNAL', message } = ERRORS[kind]() as Error & { code?: string }
    const { status: given, body } = await curl(served.socket, '/v1/show')
    assert.equal(given, status)
    const { error } = JSON.parse(body)
    assert.equal(error.code, code)
    assert.equal(error.message, message)
    const ours = await served.client.reload().catch((refused) => refused)
    assert.ok(ours instanceof RefusedError)
    assert.deepEqual([ours.status, ours.code, ours.message], [status, code, message])
    if (kind === 'config') {
      const problem = {
        path: 'tag',
        value: 4097,
        message: 'is more than 4095',
        fix: 'give 0 to 4095',
      }
      assert.deepEqual(error.problems, [problem])
      assert.deepEqual(ours.problems, [problem])
    }
    assert.equal((served.answered.at(-1)?.error as Error | undefined)?.message, message)
  }
})

test('what cannot be asked is refused, and why is said', LIMIT, async () => {
  await using served = await serve()
  const ask = async (path: string, args: readonly string[] = [], input?: string) => {
    const { status, body, head } = await curl(served.socket, path, args, input)
    return { status, head, error: JSON.parse(body).error as { code: string; message: string } }
  }
  const nowhere = await ask('/v1/nothing')
  assert.equal(nowhere.status, 404)
  assert.match(nowhere.error.message, /GET \/ lists/)
  const method = await ask('/v1/bridges/br0/mac', ['-X', 'POST'])
  assert.equal(method.status, 405)
  assert.match(method.head, /allow: get, delete/)
  const parameter = await ask('/v1/bridges/br0/flows?selektion=tcp')
  assert.equal(parameter.status, 400)
  assert.match(parameter.error.message, /"selektion" is no parameter .* it takes selection/)
  const strict = await ask('/v1/bridges/br0/flows?strict=1', ['-X', 'DELETE'])
  assert.equal(strict.status, 400)
  const json = await ask('/v1/ports', ['-d', '{"name": '])
  assert.deepEqual([json.status, json.error.code], [400, 'ERR_BAD_JSON'])
  const shape = await ask('/v1/bridges/br0/flows', ['-d', '{"rules": "tcp"}'])
  assert.equal(shape.status, 400)
  assert.match(shape.error.message, /rules/)
  assert.deepEqual((await ask('/v1/ports/%E0%A4%A', ['-X', 'DELETE'])).status, 404)
  assert.deepEqual(served.calls, [])
})

test('a body that is too long is refused, whether its length was told or not', LIMIT, async () => {
  await using served = await serve()
  const long = JSON.stringify({ name: 'x'.repeat(17 * 1024 * 1024) })
  for (const header of [[], ['-H', 'transfer-encoding: chunked']]) {
    const args = ['--data-binary', '@-', ...header]
    const { status, body } = await curl(served.socket, '/v1/ports', args, long)
    assert.equal(status, 413)
    assert.match(body, /longer than 16777216 bytes/)
  }
  assert.deepEqual(served.calls, [])
})

test(
  'what is too deep for a stack is refused, and what is no JSON told without it',
  LIMIT,
  async () => {
    const nest = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    const circle: unknown[] = []
    circle.push(circle)
    await using served = await serve({
      portAdd: () => {
        const message = 'is no value'
        throw new ConfigError('port', [
          { path: 'tag', value: circle, message, fix: 'give another' },
        ])
      },
    })
    for (const depth of [101, 1_000_000]) {
      const args = ['--data-binary', '@-']
      const { status, body } = await curl(served.socket, '/v1/ports', args, nest(depth))
      assert.equal(status, 400)
      assert.equal(JSON.parse(body).error.code, 'ERR_BODY_TOO_DEEP')
    }
    assert.deepEqual(served.calls, [])
    const { status, body } = await curl(served.socket, '/v1/ports', ['-d', nest(100)])
    assert.equal(status, 400)
    const { error } = JSON.parse(body)
    assert.match(error.message, /tag = .* is no value/)
    assert.equal(error.problems, undefined)
  },
)

test('slow and vanishing clients harm nobody', LIMIT, async () => {
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  await using served = await serve({
    reload: async () => {
      await gate
      return { changes: [], pending: [], warnings: [] }
    },
  })
  const sockets: Socket[] = []
  const speak = async (text: string): Promise<Socket> => {
    const socket = connect(served.socket)
    socket.on('error', () => {})
    sockets.push(socket)
    await once(socket, 'connect')
    socket.write(text)
    return socket
  }
  for (let i = 0; i < 20; i++) await speak('GET /v1/show HTT')
  const asking = await speak('POST /v1/reload HTTP/1.1\r\nhost: x\r\n\r\n')
  while (!served.calls.some(([name]) => name === 'reload')) await new Promise(setImmediate)
  asking.destroy()
  const upload = await speak('POST /v1/ports HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{')
  upload.destroy()
  const garbage = await speak('\x16\x03\x01 this is no HTTP\r\n\r\n')
  const [answer] = await once(garbage, 'data')
  assert.match(String(answer), /^HTTP\/1\.1 400/)
  release()
  await served.client.show()
  // Clients that still dawdle do not hold up the end.
  await served.server.close()
  for (const socket of sockets) socket.destroy()
  await assert.rejects(served.client.show(), NoSwitchError)
})

test('an answer under way still arrives while the server ends', LIMIT, async () => {
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  await using served = await serve({
    reload: async () => {
      await gate
      return { changes: ['x'], pending: [], warnings: [] }
    },
  })
  const answer = served.client.reload()
  while (!served.calls.some(([name]) => name === 'reload')) await new Promise(setImmediate)
  const closed = served.server.close()
  release()
  assert.deepEqual(await answer, { changes: ['x'], pending: [], warnings: [] })
  await closed
})

test('health and readiness are answered while the switch starts', LIMIT, async () => {
  using folder = socketFolder()
  const socket = `${folder.path}/admin.sock`
  let problems = ['port b: failed']
  const { control } = scriptedControl({
    ready: () => ({ ready: problems.length === 0, problems }),
  })
  let start = (_control: SwitchControl) => {}
  const starting = new Promise<SwitchControl>((resolve) => {
    start = resolve
  })
  const answered: Answered[] = []
  const spec = { socket, mode: 0o600 }
  await using _server = await AdminServer.start(starting, spec, (one) => answered.push(one))
  const client = new AdminClient(socket)
  assert.equal((await curl(socket, '/healthz')).status, 200)
  const early = await curl(socket, '/readyz')
  assert.equal(early.status, 503)
  assert.deepEqual(JSON.parse(early.body), { ready: false, problems: ['it is starting'] })
  start(control)
  assert.deepEqual(await client.ready(), { ready: false, problems: ['port b: failed'] })
  problems = []
  assert.equal((await curl(socket, '/readyz')).status, 200)
  // Not to be ready is an answer, and nothing for the log.
  assert.ok(answered.every(({ error }) => error === undefined))
})
