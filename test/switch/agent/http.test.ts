// Neutron's client beside servers that are slow, broken, or want another token.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Keystone, StaticToken } from '../../../src/switch/agent/neutron/auth.js'
import { NeutronClient } from '../../../src/switch/agent/neutron/client.js'
import { NeutronSource } from '../../../src/switch/agent/neutron/source.js'
import { vswitch } from '../cli/vswitch.js'

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** Answers at a port of its own. */
class HttpPeer implements AsyncDisposable {
  readonly requests: string[] = []
  readonly #server: Server

  constructor(answer: Answer) {
    this.#server = createServer(async (request, response) => {
      let body = ''
      for await (const part of request) body += part
      this.requests.push(`${request.method} ${request.url}`)
      answer(request, response, body)
    })
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

const signal = new AbortController().signal
const json = (response: ServerResponse, status: number, body: object, headers = {}) =>
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(body))

function keystoneAt(url: string, more: object = {}): Keystone {
  const names = { userDomain: 'Default', projectDomain: 'Default', interface: 'public' }
  const user = { username: 'agent', password: 'secret', project: 'service' }
  return new Keystone({ authUrl: `${url}/v3`, ...user, ...names, timeoutMs: 5000, ...more })
}

/** A Keystone whose tokens are numbered, and a Neutron that takes only the last. */
function cloud({ lastsMs = 3_600_000 } = {}) {
  const state = { tokens: 0, valid: 0, url: '' }
  const answer: Answer = (request, response, body) => {
    if (request.url === '/v3/auth/tokens') {
      const { auth } = JSON.parse(body)
      assert.equal(auth.scope.project.name, 'service')
      if (auth.identity.password.user.password !== 'secret') {
        const message = 'The request you have made requires authentication.'
        return json(response, 401, { error: { code: 401, message, title: 'Unauthorized' } })
      }
      state.valid = ++state.tokens
      const endpoints = ['internal', 'public'].map((name) => {
        return {
          interface: name,
          region_id: 'r1',
          url: name === 'public' ? state.url : 'http://no',
        }
      })
      const expires_at = new Date(Date.now() + lastsMs).toISOString()
      const token = { expires_at, catalog: [{ type: 'network', endpoints }] }
      return json(response, 201, { token }, { 'x-subject-token': `t${state.tokens}` })
    }
    if (request.headers['x-auth-token'] !== `t${state.valid}`) {
      return json(response, 401, { message: 'Authentication required' })
    }
    return json(response, 200, { ports: [] })
  }
  return { state, answer }
}

test('a token of Keystone, the endpoint it knows, and another token when that is refused or old', async () => {
  const { state, answer } = cloud()
  await using peer = await new HttpPeer(answer).start()
  state.url = peer.url
  const client = new NeutronClient({ auth: keystoneAt(peer.url), timeoutMs: 5000 })
  const list = () => client.list('ports', new URLSearchParams(), signal)
  assert.deepEqual(await list(), [])
  await list()
  assert.equal(state.tokens, 1, 'it is kept')
  state.valid = 99
  await list()
  assert.equal(state.tokens, 2, 'it is renewed')

  const short = cloud({ lastsMs: 30_000 })
  await using other = await new HttpPeer(short.answer).start()
  short.state.url = other.url
  const often = new NeutronClient({ auth: keystoneAt(other.url), timeoutMs: 5000 })
  await often.list('ports', new URLSearchParams(), signal)
  assert.ok(short.state.tokens > 1, 'one that ends soon is not used again')

  const wrong = keystoneAt(peer.url, { password: 'no' })
  const message =
    /^Keystone at .*: 401 The request .* requires authentication\.; give a user and pass/
  await assert.rejects(wrong.headers(signal), { status: 401, message })
  const elsewhere = keystoneAt(peer.url, { region: 'r2' }).endpoint(signal)
  await assert.rejects(elsewhere, /no public endpoint of type network in region r2; give its URL/)
})

test('what is refused, broken, slow or not there is told with its fix', async () => {
  const answers: Record<string, Answer> = {
    '401': (_, response) => json(response, 401, { message: 'Authentication required' }),
    '403': (_, response) =>
      json(response, 403, { NeutronError: { type: 'X', message: 'not for you', detail: '' } }),
    '503': (_, response) => response.writeHead(503, { 'retry-after': '7' }).end('<html>'),
    html: (_, response) => response.end('<html>'),
    other: (_, response) => json(response, 200, { versions: [] }),
    cut: (_, response) => response.destroy(),
    silent: () => {},
  }
  const said: Record<string, RegExp> = {
    '401': /: 401 Authentication required; give a user and password .* or a token that is valid/,
    '403': /: 403 not for you; give a user who may see how ports are bound/,
    '503': /: 503 <html>; see its log; it is asked again/,
    html: /is not valid JSON/,
    other: /its answer has no ports/,
    cut: /UND_ERR_SOCKET|ECONNRESET|other side closed/,
    silent: /: no answer in time; is its URL right, and does it run\?/,
  }
  for (const [name, answer] of Object.entries(answers)) {
    await using peer = await new HttpPeer(answer).start()
    const auth = new StaticToken('old')
    const timeoutMs = name === 'silent' ? 300 : 20_000
    const client = new NeutronClient({ url: `${peer.url}/v2.0/`, auth, timeoutMs })
    const asked = client.list('ports', new URLSearchParams(), signal)
    await assert.rejects(asked, { name: 'NeutronError', message: said[name] as RegExp })
    assert.deepEqual(peer.requests, ['GET /v2.0/ports?limit=500'])
  }
  const peer = await new HttpPeer(() => {}).start()
  const { url } = peer
  await peer[Symbol.asyncDispose]()
  const nobody = new NeutronClient({ url, auth: new StaticToken(), timeoutMs: 5000 })
  const asked = nobody.list('ports', new URLSearchParams(), signal)
  await assert.rejects(asked, /: ECONNREFUSED; is its URL right/)
})

test('a server with errors is asked less often, and what was known of it stays', async () => {
  let isWell = true
  await using peer = await new HttpPeer((_, response) =>
    isWell ? json(response, 200, { ports: [] }) : response.writeHead(500).end(),
  ).start()
  const client = new NeutronClient({ url: peer.url, auth: new StaticToken(), timeoutMs: 5000 })
  const source = new NeutronSource({ client, host: 'h', pollMs: 20, tags: false })
  await source.read(signal)
  isWell = false
  const begun = performance.now()
  let errors = 0
  while (errors < 5) {
    const answer = await source.read(signal).catch(() => undefined)
    if (answer === undefined) errors++
    else assert.deepEqual(answer.ports, [])
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  // The first after 20 ms, the next 20, 40, 80 and 160 ms later.
  const took = performance.now() - begun
  assert.ok(took > 300, `${took} ms`)
  assert.equal(peer.requests.length, errors + 1)
})

test('pages without links end with the one that is not full, and never go round', async () => {
  const page = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({ id: `p${from + i}` }))
  const pages: Record<string, object[]> = { '': page(0, 500), p499: page(500, 2) }
  await using peer = await new HttpPeer((request, response) => {
    const marker = new URL(request.url ?? '', 'http://h').searchParams.get('marker') ?? ''
    json(response, 200, { ports: pages[marker] ?? [] })
  }).start()
  const client = new NeutronClient({ url: peer.url, auth: new StaticToken(), timeoutMs: 5000 })
  assert.equal((await client.list('ports', new URLSearchParams(), signal)).length, 502)
  await using round = await new HttpPeer((_, response) =>
    json(response, 200, { ports: page(0, 1), ports_links: [{ rel: 'next', href: '' }] }),
  ).start()
  const other = new NeutronClient({ url: round.url, auth: new StaticToken(), timeoutMs: 5000 })
  assert.equal((await other.list('ports', new URLSearchParams(), signal)).length, 2)
})

test('vswitch agent: what it is not told, and where it may not write', async () => {
  const cases: [args: string[], message: RegExp][] = [
    [[], /give either --ports FOLDER or --neutron \[URL\]/],
    [['--ports', '/a', '--neutron'], /give either --ports/],
    [['--neutron'], /OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME missing in the env/],
    [['--ports', '/a', '--state', '/dev/null/a'], /ENOTDIR/],
  ]
  for (const [args, message] of cases) {
    const { code, stderr } = await vswitch(['agent', ...args])
    assert.equal(code, 1, args.join(' '))
    assert.match(stderr, message)
  }
})
