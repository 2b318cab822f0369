/** What a host says to options that cannot be. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '../../src/config/index.js'
import { toHostSpec } from '../../src/testkit/host/options.js'
import { toPingOrder, toSendOrder } from '../../src/testkit/host/traffic-options.js'
import { TestHost } from '../../src/testkit/index.js'

const host = toHostSpec({ path: '/tmp/a', name: 'a', ip: '10.0.0.1', queues: 2 })

function lines(run: () => unknown): string[] {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.message.split('\n')
  }
  return []
}

describe('options of a host', () => {
  test('defaults', () => {
    const { name, mac, ip, ...rest } = toHostSpec({ path: '/tmp/b' })
    assert.match(name, /^host\d+$/)
    assert.match(mac, /^02:/)
    assert.notEqual(mac, host.mac)
    assert.deepEqual(ip, [])
    assert.deepEqual(rest, {
      path: '/tmp/b',
      listen: true,
      queues: 1,
      queueSize: 1024,
      packed: false,
      inOrder: true,
      mergeable: true,
      mtu: 1500,
      idle: 'adaptive',
      maxLifetimeMs: 1_800_000,
      memoryMiB: 64,
    })
  })

  test('every problem is named with its fix', () => {
    const wrong = {
      path: 'a.sock',
      mac: '01:00:00:00:00:00',
      ip: ['10.0.0.1/24'],
      queues: 17,
      queueSize: 1000,
      paked: true,
    }
    assert.deepEqual(
      lines(() => toHostSpec(wrong as never)).filter((line) => !line.includes('path =')),
      [
        'test host: 6 problems',
        '  - mac = "01:00:00:00:00:00" is the address of a group; make its first octet even, such as 02',
        '  - ip[0] = "10.0.0.1/24" is no IP address; leave out the prefix length: a host has no routes, all it talks to is on its link',
        '  - queues = 17 is more than 16; give a whole number from 1 to 16',
        '  - queueSize = 1000 is not a power of two; give 512 or 1024',
        '  - paked = true is not an option; did you mean packed?',
      ],
    )
    assert.match(
      lines(() => toHostSpec(wrong as never)).join(),
      /path = "a.sock" is a relative path/,
    )
  })

  test('a socket that cannot be is refused before anything starts', async () => {
    await assert.rejects(TestHost.start({ path: '/nowhere/at/all.sock' }), ConfigError)
    await assert.rejects(TestHost.start({} as never), /path is missing/)
  })
})

describe('options of traffic', () => {
  test('receivers in any form', () => {
    const to = [{ mac: '02-00-00-00-00-0B' }, '02:00:00:00:00:0c', 'broadcast']
    const { order, queue } = toSendOrder({ to, size: 'imix', queue: 1 }, host, 7)
    assert.equal(queue, 1)
    assert.deepEqual(order.destinations, [0x02000000000b, 0x02000000000c, 0xffffffffffff])
    assert.equal(order.sizes.length, 12)
    assert.equal(order.sourceIp, '10.0.0.1')
    assert.equal(order.rate, 'max')
  })

  test('problems', () => {
    const send = (options: object) => lines(() => toSendOrder(options as never, host, 1)).join()
    const to = '02:00:00:00:00:0c'
    assert.match(send({}), /sending of a: to is missing/)
    assert.match(send({ to: 'host' }), /to = "host"/)
    assert.match(send({ to, size: 63 }), /size = 63 is less than 64/)
    assert.match(send({ to, size: [64, 1515] }), /size\[1\] = 1515 is more than 1514/)
    assert.match(send({ to, queue: 2 }), /queue = 2 is more than 1/)
    assert.match(send({ to, queue: 1, window: 5 }), /queue = 1 cannot be limited by a window/)
    assert.match(send({ to: [to, to], flows: 40_000 }), /too many flows in all; give at most 32768/)
    assert.match(send({ to, rate: 0 }), /rate = 0/)
    assert.match(send({ to, destinationIp: 'fd00::1' }), /no IPv4 address/)
    assert.match(lines(() => toPingOrder('host2', {}, host)).join(), /"host2" is no IP address/)
    assert.match(
      lines(() => toPingOrder('10.0.0.2', { size: 1473 }, host)).join(),
      /more than 1472/,
    )
  })

  test('the source of a ping is of the same family', () => {
    const both = toHostSpec({ path: '/tmp/c', ip: ['fd00::1', '10.0.0.1'] })
    assert.equal(toPingOrder('10.0.0.2', {}, both).source, '10.0.0.1')
    assert.equal(toPingOrder('fd00::2', {}, both).source, 'fd00::1')
  })
})
