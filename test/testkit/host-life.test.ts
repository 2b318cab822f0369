/** How hosts begin and end, whoever ends them. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { TestHost, TestHostError } from '../../src/testkit/index.js'
import { Child } from '../support/child.js'
import { until } from '../support/loopback.js'
import { Wire } from './wire.js'

const LIMIT = { timeout: 120_000 }

function isRunning(pid: number | undefined): boolean {
  try {
    return process.kill(pid as number, 0)
  } catch {
    return false
  }
}

describe('the life of a host', LIMIT, () => {
  let wire: Wire
  before(async () => {
    wire = await Wire.open()
  })
  after(() => wire[Symbol.asyncDispose]())
  const socket = (name: string) => `${wire.folder}/${name}`

  test('killed, it is a guest that crashed; another one takes its place', async () => {
    const [a, b] = await wire.join()
    const [, port] = wire.ports
    assert.ok(port)
    const waiting = b.ping('10.0.0.99', { timeoutMs: 10_000 })
    waiting.catch(() => {})
    await b.kill()
    assert.equal(isRunning(b.pid), false)
    assert.ok(existsSync(b.spec.path), 'its socket stays behind')
    await assert.rejects(waiting, { code: 'ERR_HOST_ENDED' })
    await assert.rejects(b.counters(), { code: 'ERR_HOST_ENDED' })
    await until('the port noticed', () => port.status.state !== 'ready')
    assert.ok(a.link.up)

    const { path, mac, ip } = b.spec
    await using c = await TestHost.start({ path, mac, ip })
    await c.linkUp()
    await port.ready({ timeoutMs: 60_000 })
    const { received } = await a.ping('10.0.0.2', { count: 2, intervalMs: 10 })
    assert.equal(received, 2)
    await c.close()
    await c.close()
    assert.equal(existsSync(path), false)
  })

  test('it says who did not come', async () => {
    await using host = await TestHost.start({ path: socket('alone'), name: 'alone' })
    await assert.rejects(host.linkUp({ timeoutMs: 50 }), {
      code: 'ERR_HOST_TIMEOUT',
      message: `the link of alone is down: no switch has connected to ${socket('alone')} after 50 ms`,
    })
    await assert.rejects(host.sendFrame(new Uint8Array(64)), /no switch has connected/)
    await using other = await TestHost.start({ path: socket('none'), listen: false })
    await assert.rejects(other.linkUp({ timeoutMs: 50 }), /no switch accepts on/)
  })

  test('it does not take a socket from another process', async () => {
    const path = socket('taken')
    const server = createServer().listen(path)
    await until('the server listens', () => server.listening)
    await assert.rejects(TestHost.start({ path, name: 'late' }), (error: TestHostError) => {
      assert.equal(error.code, 'ERR_HOST_START')
      assert.match(
        error.message,
        /another process listens on .*taken; give late a socket of its own/,
      )
      return true
    })
    server.close()
  })

  test('it ends when its time is over, and when its signal says so', async () => {
    const host = await TestHost.start({ path: socket('short'), maxLifetimeMs: 3000 })
    await assert.rejects(host.linkUp({ timeoutMs: 30_000 }), { code: 'ERR_HOST_ENDED' })
    assert.equal(isRunning(host.pid), false)
    const stop = new AbortController()
    const other = await TestHost.start({ path: socket('aborted'), signal: stop.signal })
    stop.abort()
    await assert.rejects(other.linkUp({ timeoutMs: 5000 }), TestHostError)
    await until('it is gone', () => !isRunning(other.pid))
    await assert.rejects(TestHost.start({ path: socket('never'), signal: stop.signal }), {
      name: 'AbortError',
    })
  })

  test('it ends with the process that started it, however that ends', async () => {
    const script = new URL('./children/starts-a-host.js', import.meta.url)
    await using child = new Child(script, [socket('orphan')])
    const { pid } = (await child.message()) as { pid: number }
    assert.ok(isRunning(pid))
    child.process.kill('SIGKILL')
    await until('the host is gone', () => !isRunning(pid))
    assert.equal(existsSync(socket('orphan')), false)
  })

  test('it says why it cannot start', async () => {
    process.env.DPDK_VHOST_BINDING = '/nowhere.node'
    await assert.rejects(
      TestHost.start({ path: socket('without'), name: 'without' }).finally(() => {
        delete process.env.DPDK_VHOST_BINDING
      }),
      /cannot start a test host: without: .*nowhere\.node/s,
    )
  })
})
