/** The switch is killed and started again; the guests run on and need not be touched. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestHost } from '../../src/testkit/index.js'
import { Child } from '../support/child.js'
import { socketFolder, until } from '../support/loopback.js'

test('SIGKILL of the switch, and its successor', { timeout: 240_000 }, async () => {
  using folder = socketFolder()
  const paths = ['a', 'b'].map((name) => `${folder.path}/${name}`) as [string, string]
  const script = new URL('./children/switch.js', import.meta.url)
  await using a = await TestHost.start({ path: paths[0], ip: '10.0.0.1' })
  await using b = await TestHost.start({ path: paths[1], ip: '10.0.0.2' })
  const pids = [a.pid, b.pid]

  let sending: Awaited<ReturnType<TestHost['startSending']>> | undefined
  for (let round = 0; round < 4; round++) {
    await using vswitch = new Child(script, paths)
    assert.equal(await vswitch.message(), 'ready')
    await a.linkUp()
    await b.linkUp()
    const { sent, received } = await a.ping('10.0.0.2', {
      count: 3,
      intervalMs: 20,
      timeoutMs: 3000,
    })
    assert.equal(received, sent, `round ${round}`)
    if (sending === undefined) sending = await a.startSending({ to: b, rate: 2000 })
    const before = (await b.receivedOf(sending)).frames
    const stream = sending
    const arrived = async () => (await b.receivedOf(stream)).frames
    await until(`round ${round}: the stream goes on`, async () => (await arrived()) > before + 100)
    const report = await b.receivedOf(sending)
    assert.equal(report.corrupted + report.duplicated, 0)
    // Disposing kills it, with frames in its hands.
  }
  assert.ok(sending)
  await sending.stop()
  const { generation } = await a.linkDown()
  assert.equal(generation, 4, 'the host saw four switches')
  assert.deepEqual([a.pid, b.pid], pids)
})
