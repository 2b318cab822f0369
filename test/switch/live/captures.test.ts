/** Captures of a switch with real hosts: what happens around them. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { suite, test } from 'node:test'
import { PcapngScanner } from '../../../src/switch/cli/pcapng-scanner.js'
import { account, NOTHING_WRONG } from '../../support/accounts.js'
import { until } from '../../support/loopback.js'
import { Stage } from './stage.js'

const LIMIT = { timeout: 120_000 }
const config = (lcores: readonly string[]) => (stage: Stage) => ({
  bridges: [{ name: 'br0' }],
  lcores: lcores.map((name) => ({ name })),
  ports: [stage.port('a'), stage.port('b')],
})

suite('a capture', LIMIT, () => {
  test('whose reader stops costs the traffic nothing, and tells what it lost', LIMIT, async () => {
    await using stage = await Stage.start(config(['l0']))
    const [a, b] = [await stage.host('a', { ip: '10.0.0.1' }), await stage.host('b')]
    await b.startSending({ to: a, frames: 1 })
    const { stream } = await stage.switch.capture({})
    const wrong = account(stage.counters('b'), b)
    const sending = await a.startSending({ to: b, rate: 20_000, size: 1514 })
    const lost = () =>
      Object.values(stage.switch.captures()[0]?.ports ?? {}).reduce(
        (sum, port) => sum + port.dropped,
        0,
      )
    await until('the rings are full', () => lost() > 1000)
    const { delivery, ...lostOfTraffic } = await wrong(sending)
    assert.deepEqual(lostOfTraffic, NOTHING_WRONG)
    assert.ok(delivery.frames > 1000)
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

  test('of 9000-byte packets has them whole', LIMIT, async () => {
    await using stage = await Stage.start((stage) => ({
      datapath: { memory: 'memfd', memoryMiB: 64, mtu: 9000 },
      ...config(['l0'])(stage),
    }))
    const [a, b] = [await stage.host('a', { mtu: 9000 }), await stage.host('b', { mtu: 9000 })]
    const { stream } = await stage.switch.capture({
      ports: ['a', 'b'],
      filter: 'greater 9014',
      count: 2,
    })
    const frame = Buffer.alloc(9014, 0x5a)
    for (let i = 0; i < frame.length; i++) frame[i] = (i * 7) & 0xff
    frame.set([...Buffer.from(`${b.mac}:${a.mac}`.replaceAll(':', ''), 'hex'), 0x88, 0xb5])
    await a.sendFrame(frame)
    const seen: string[] = []
    const scanner = new PcapngScanner(({ port, direction, bytes, length }) => {
      seen.push(`${port} ${direction} ${length}`)
      assert.deepEqual(Buffer.from(bytes), frame)
    })
    for await (const chunk of stream) scanner.take(chunk)
    assert.deepEqual(seen, ['a rx 9014', 'b tx 9014'])
  })

  test('of so many frames lets lcores go once it has them, read or not', LIMIT, async () => {
    await using stage = await Stage.start(config(['l0']))
    const [a, b] = [await stage.host('a'), await stage.host('b')]
    // Of few frames the reader's buffer has all; of many most are still in the rings.
    for (const count of [5, 2000]) {
      const { id, stream } = await stage.switch.capture({ ports: ['a'], direction: 'rx', count })
      const seen = () => stage.switch.captures().find((one) => one.id === id)?.ports.a
      const sending = await a.startSending({ to: b, rate: 10_000, size: 1514 })
      await until('there are enough', () => (seen()?.matched ?? 0) >= count)
      // What is seen ends, though the traffic does not.
      const frames = () => stage.switch.stats().ports.a?.rx.frames ?? 0
      let before = -1
      let since = 0
      await until('lcores let it go', () => {
        const now = frames()
        const received = seen()?.received as number
        if (received === before) return now >= since + 1000
        before = received
        since = frames()
        return false
      })
      await b.delivery(await sending.stop())
      const { received, dropped } = seen() ?? {}
      assert.deepEqual([received, dropped], [before, 0])
      assert.ok(frames() > before)
      const scanner = new PcapngScanner()
      for await (const chunk of stream) scanner.take(chunk)
      assert.equal(scanner.frames, count)
      await until('it is over', () => stage.switch.captures().length === 0)
    }
  })

  const tshark = spawnSync('tshark', ['--version']).status === 0
  test("of a mirror's output is what the mirror counts", { ...LIMIT, skip: !tshark }, async () => {
    const mirrors = [
      { name: 'one', selectSrcPort: ['a'], outputPort: 'c' },
      { name: 'none', outputPort: 'd' },
    ]
    await using stage = await Stage.start((stage) => ({
      bridges: [{ name: 'br0', mirrors }],
      lcores: [{ name: 'l0' }, { name: 'l1' }],
      ports: ['a', 'b', 'c', 'd'].map((name) => stage.port(name)),
    }))
    const [a, b] = [await stage.host('a'), await stage.host('b')]
    await stage.host('c')
    const { id, stream } = await stage.switch.capture({ ports: ['c'], direction: 'tx' })
    const file = stage.path('c.pcapng')
    const read = buffer(stream).then((bytes) => writeFileSync(file, bytes))
    await b.delivery(await a.send({ to: b, frames: 500, rate: 5000, size: 'imix' }))
    await stage.switch.captureEnd(id)
    await read
    assert.ok(readFileSync(file).length > 0)
    const lengths = execFileSync('tshark', ['-n', '-r', file, '-T', 'fields', '-e', 'frame.len'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split('\n')
      .map(Number)
    assert.ok(lengths.length >= 500)
    const one = { frames: lengths.length, bytes: lengths.reduce((sum, length) => sum + length) }
    const none = { frames: 0, bytes: 0 }
    assert.deepEqual(stage.switch.stats().mirrors, [
      { bridge: 'br0', name: 'one', ...one },
      { bridge: 'br0', name: 'none', ...none },
    ])
    assert.match(
      String(await stage.switch.metrics()),
      new RegExp(`^vswitch_mirror_bytes_total\\{bridge="br0",mirror="one"\\} ${one.bytes}$`, 'm'),
    )
    // A mirror that stays goes on counting, and one of another name begins.
    stage.write({
      bridges: [{ name: 'br0', mirrors: [{ ...mirrors[1], name: 'new' }, mirrors[0]] }],
      lcores: [{ name: 'l0' }, { name: 'l1' }],
      ports: ['a', 'b', 'c', 'd'].map((name) => stage.port(name)),
    })
    await stage.switch.reload()
    assert.deepEqual(
      stage.switch.show().bridges[0]?.mirrors.map(({ name, frames }) => [name, frames]),
      [
        ['new', 0],
        ['one', one.frames],
      ],
    )
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
