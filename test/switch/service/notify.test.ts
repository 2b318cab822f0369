/** `notifySystemd` over real Unix datagram sockets. */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { DatapathError, notifySystemd } from 'dpdk-vhost'
import { DatagramReceiver } from '../../support/datagram-receiver.js'
import { socketFolder } from '../../support/loopback.js'

const LIMIT = { timeout: 120_000 }

afterEach(() => {
  delete process.env.NOTIFY_SOCKET
})

function refused(text: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof DatapathError)
    assert.equal(error.code, 'ERR_NOTIFY')
    assert.match(error.message, text)
    return true
  }
}

test('a datagram of this process arrives, at a path and at an abstract socket', LIMIT, async () => {
  using folder = socketFolder()
  for (const path of [`${folder.path}/notify`, `@vswitch-test-${process.pid}`]) {
    await using receiver = await DatagramReceiver.start(path)
    process.env.NOTIFY_SOCKET = path
    assert.equal(notifySystemd('READY=1\nSTATUS=ä'), true)
    const { text, pid } = await receiver.find('READY')
    assert.equal(text, 'READY=1\nSTATUS=ä')
    assert.equal(pid, process.pid)
  }
})

test('without a service manager nothing happens', LIMIT, () => {
  assert.equal(notifySystemd('READY=1'), false)
  process.env.NOTIFY_SOCKET = ''
  assert.equal(notifySystemd('READY=1'), false)
})

test('a socket that is not there, or none, is named', LIMIT, () => {
  for (const [path, text] of [
    ['/nowhere/notify', /at \/nowhere\/notify: No such file/],
    ['relative', /neither an absolute path nor an abstract socket/],
    ['vsock:2:1', /neither an absolute path/],
    [`/${'x'.repeat(107)}`, /File name too long/],
    ['@nobody-listens-there', /Connection refused/],
  ] as const) {
    process.env.NOTIFY_SOCKET = path
    assert.throws(() => notifySystemd('READY=1'), refused(text))
  }
})

test('a service manager that does not read holds up nothing', LIMIT, async () => {
  using folder = socketFolder()
  const path = `${folder.path}/notify`
  await using _receiver = await DatagramReceiver.start(path, { deaf: true })
  process.env.NOTIFY_SOCKET = path
  const flood = () => {
    for (let i = 0; i < 100_000; i++) notifySystemd('WATCHDOG=1')
  }
  assert.throws(flood, refused(/Resource temporarily unavailable/))
})
