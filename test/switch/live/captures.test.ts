/** Captures of a switch with real hosts: what happens around them. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { PcapngScanner } from '../../../src/switch/cli/pcapng-scanner.js'
import { until } from '../../support/loopback.js'
import { Stage } from './stage.js'

const LIMIT = { timeout: 60_000 }
const config = (lcores: readonly string[]) => (stage: Stage) => ({
  bridges: [{ name: 'br0' }],
  lcores: lcores.map((name) => ({ name })),
  ports: [stage.port('a'), stage.port('b')],
})
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

suite('a capture', LIMIT, () => {
  test('whose reader stops costs the traffic nothing, and tells what it lost', LIMIT, async () => {
    await using stage = await Stage.start(config(['l0']))
    const [a, b] = [await stage.host('a', { ip: '10.0.0.1' }), await stage.host('b')]
    await b.startSending({ to: a, frames: 1 })
    const { stream } = await stage.switch.capture({})
    const sending = await a.startSending({ to: b, rate: 20_000, size: 1514 })
    const lost = () =>
      Object.values(stage.switch.captures()[0]?.ports ?? {}).reduce(
        (sum, port) => sum + port.dropped,
        0,
      )
    await until('the rings are full', () => lost() > 1000, 20_000)
    const { lost: lostOfTraffic, frames } = await b.delivery(await sending.stop())
    assert.equal(lostOfTraffic, 0)
    assert.ok(frames > 1000)
    // It goes on where the rings were full, with whole blocks.
    const before = lost()
    let bytes = 0
    const scanner = new PcapngScanner()
    const read = (async () => {
      for await (const chunk of stream) {
        scanner.take(chunk)
        bytes += chunk.length
      }
    })()
    await until('it catches up', () => bytes > 4_000_000)
    await pause(50)
    const id = stage.switch.captures()[0]?.id as number
    await stage.switch.captureEnd(id)
    await read
    assert.equal(scanner.dropped, BigInt(before))
    assert.equal(BigInt(scanner.frames) + BigInt(before), scanner.received)
    assert.deepEqual(stage.switch.captures(), [])
    await assert.rejects(stage.switch.captureEnd(id), /no capture has the number/)
  })

  test('of the output of a mirror has each frame of the bridge once', LIMIT, async () => {
    await using stage = await Stage.start((stage) => ({
      bridges: [{ name: 'br0', mirrors: [{ name: 'm', selectAll: true, outputPort: 'c' }] }],
      lcores: [{ name: 'l0' }],
      ports: [stage.port('a'), stage.port('b'), stage.port('c')],
    }))
    const a = await stage.host('a', { ip: '10.0.0.1' })
    await stage.host('b', { ip: '10.0.0.2' })
    await stage.host('c')
    const { id, stream } = await stage.switch.capture({ filter: 'icmp' })
    const seen: string[] = []
    const scanner = new PcapngScanner(({ port, direction, bytes }) =>
      seen.push(`${port} ${direction} ${bytes.toString('hex')}`),
    )
    stream.on('data', (chunk) => scanner.take(chunk))
    assert.equal((await a.ping('10.0.0.2', { count: 5 })).received, 5)
    await until('all of it is seen', () => seen.length >= 30)
    await stage.switch.captureEnd(id)
    const frames = (start: string) =>
      seen.filter((one) => one.startsWith(start)).map((one) => one.slice(5))
    assert.equal(seen.length, 30)
    // Requests and replies as they came in.
    const received = [...frames('a rx '), ...frames('b rx ')]
    assert.deepEqual(frames('c tx ').sort(), received.sort())
  })

  test('goes on when lcores come and go, and ports come', LIMIT, async () => {
    await using stage = await Stage.start(config(['l0']))
    const a = await stage.host('a', { ip: '10.0.0.1' })
    await stage.host('b', { ip: '10.0.0.2' })
    const { stream } = await stage.switch.capture({ filter: 'icmp' })
    const seen: string[] = []
    const scanner = new PcapngScanner(({ port, direction }) => seen.push(`${port} ${direction}`))
    stream.on('data', (chunk) => scanner.take(chunk))
    const pinged = async (ip: string) => {
      const from = seen.length
      assert.equal((await a.ping(ip, { count: 2 })).received, 2)
      await until('all of it is seen', () => seen.length === from + 8)
      return [...new Set(seen.slice(from))].sort()
    }
    const both = ['a rx', 'a tx', 'b rx', 'b tx']
    assert.deepEqual(await pinged('10.0.0.2'), both)
    stage.write(config(['l1', 'l2'])(stage))
    const { changes } = await stage.switch.reload()
    assert.ok(changes.length >= 3, changes.join())
    assert.deepEqual(await pinged('10.0.0.2'), both)
    await stage.switch.portAdd(stage.port('c'))
    await stage.host('c', { ip: '10.0.0.3' })
    assert.deepEqual(await pinged('10.0.0.3'), ['a rx', 'a tx', 'c rx', 'c tx'])
    // A reader that dies ends it.
    stream.destroy()
    await until('it is over', () => stage.switch.captures().length === 0)
    assert.equal((await a.ping('10.0.0.2', { count: 2 })).received, 2)
  })
})
