/** Metrics over TCP, and nothing else there. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { MetricsServer } from '../../../src/switch/admin/metrics-server.js'
import { ROUTES } from '../../../src/switch/admin/routes.js'
import { scriptedControl } from './scripted-control.js'

/** All that is served over TCP. */
const OPEN = ['/metrics', '/healthz', '/readyz']

const LIMIT = { timeout: 120_000 }

test('only metrics are served over TCP', LIMIT, async () => {
  const { control, calls } = scriptedControl({ metrics: async () => Buffer.from('up 1\n') })
  await using server = await MetricsServer.start(control, { listen: '127.0.0.1:0' })
  const base = `http://${server.address}`
  const metrics = await fetch(`${base}/metrics`)
  assert.equal(await metrics.text(), 'up 1\n')
  assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const { routes } = (await (await fetch(base)).json()) as { routes: { path: string }[] }
  assert.deepEqual(
    routes.map(({ path }) => path),
    OPEN,
  )
  for (const { method, path } of ROUTES) {
    if (OPEN.includes(path)) continue
    const body = method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }
    const url = `${base}${path.replace(/\{\w+\}/, 'x')}`
    const { status } = await fetch(url, { method, ...body })
    assert.equal(status, 404, `${method} ${path}`)
  }
  assert.equal((await fetch(`${base}/metrics`, { method: 'POST', body: 'x' })).status, 405)
  assert.deepEqual(calls, [['metrics']])
})

test('IPv6 and a taken address', LIMIT, async () => {
  const { control } = scriptedControl({ metrics: async () => Buffer.alloc(0) })
  await using server = await MetricsServer.start(control, { listen: '[::1]:0' })
  assert.equal((await fetch(`http://${server.address}/metrics`)).status, 200)
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as { port: number }
  await assert.rejects(MetricsServer.start(control, { listen: `127.0.0.1:${port}` }), {
    message: new RegExp(`cannot listen at 127.0.0.1:${port}: .*EADDRINUSE`),
  })
  taken.close()
})
