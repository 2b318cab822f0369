/** Frames up to the MTU pass, longer ones are dropped and counted, whichever side sends them. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError, Datapath, type Port } from '../../src/index.js'
import { crossConnect } from '../../src/programs/cross-connect.js'
import { TestHost, type TestHostOptions } from '../../src/testkit/index.js'
import { account, NOTHING_WRONG } from '../support/accounts.js'
import { pcap } from '../support/capture-file.js'
import { loopback, numberedFrame, SMALL, socketFolder, until } from '../support/loopback.js'

const LIMIT = { timeout: 120_000 }
const MOST = 9728
/** Ethernet header and two VLAN tags. */
const HEADERS = 22
/** Most that virtio-user takes: it reckons headers into 9728. */
const MOST_OF_VIRTIO_USER = 9698

async function hostOn(
  datapath: Datapath,
  folder: string,
  name: string,
  options: Partial<TestHostOptions>,
) {
  const path = `${folder}/${name}`
  const port = await datapath.addPort({ name, type: 'dpdkvhostuserclient', path })
  const host = await TestHost.start({ path, ...options })
  await port.ready({ timeoutMs: 60_000 })
  await host.linkUp()
  return { port, host }
}

describe('MTU', () => {
  test('68 to 9728 can be had, and nothing beyond', LIMIT, async () => {
    for (const [mtu, message] of [
      [MOST + 1, /mtu = 9729 is more than 9728; give a whole number from 68 to 9728/],
      [67, /mtu = 67 is less than 68; give a whole number from 68 to 9728/],
    ] as const) {
      await assert.rejects(Datapath.open({ ...SMALL, mtu }), (error: ConfigError) => {
        assert.ok(error instanceof ConfigError)
        assert.match(error.message, message)
        return true
      })
    }
    await using datapath = await Datapath.open({ ...SMALL, mtu: MOST })
    const devargs = (i: number) => ({ type: 'dpdk', devargs: `net_ring${i}` }) as const
    await assert.rejects(
      datapath.addPort({ name: 'x', ...devargs(0), mtu: MOST + 1 }),
      /mtu = 9729 is more than 9728/,
    )
    for (const [i, mtu] of [68, 1500, MOST].entries()) {
      await using port = await datapath.addPort({ name: `mtu${mtu}`, ...devargs(i), mtu })
      assert.equal(port.maxFrameBytes, mtu + HEADERS)
      port.inject(new Uint8Array(mtu + HEADERS))
      assert.throws(() => port.inject(new Uint8Array(mtu + HEADERS + 1)), { code: 'ERR_FRAME' })
      await until('it went', () => port.counters().tx.frames === 1)
    }
  })

  test('frames of the largest MTU with two tags, and one byte more', LIMIT, async () => {
    using folder = socketFolder()
    await using datapath = await Datapath.open({ ...SMALL, mtu: MOST })
    const { vhost, guest } = await loopback(datapath, folder.path, { mtu: MOST_OF_VIRTIO_USER })
    const longest = numberedFrame(7, MOST + HEADERS)
    longest.fill(0xa5, 64)
    const seen: number[] = []
    let intact = 0
    let wanted = 0
    await datapath.run({
      burst({ count, length, offset, bytes }) {
        for (let i = 0; i < count; i++) {
          const at = offset[i] as number
          seen.push(length[i] as number)
          if (
            bytes.subarray(at, at + (length[i] as number)).every((byte, k) => byte === longest[k])
          )
            intact += 1
        }
      },
      idle(burst) {
        // In the middle, so that its neighbours are seen to go.
        for (const more of wanted > 0 ? [0, 1, 0] : []) {
          const frame = burst.create(longest.length + more)
          burst.bytes.set(longest, burst.offset[frame])
          burst.outPort[frame] = vhost.id
        }
        wanted = 0
      },
    })
    vhost.inject(longest)
    await until('it came to the guest', () => seen.length === 1)
    guest.inject(longest.subarray(0, guest.maxFrameBytes))
    await until('it came to the switch', () => seen.length === 2)
    assert.deepEqual(seen, [MOST + HEADERS, MOST_OF_VIRTIO_USER + HEADERS])
    wanted = 1
    await until('the two came', () => seen.length === 4)
    assert.equal(vhost.counters().tx.droppedOversize, 1)
    assert.equal(intact, 4)
  })

  test('jumbo frames between two guests', LIMIT, async () => {
    using folder = socketFolder()
    await using datapath = await Datapath.open({ ...SMALL, mtu: MOST })
    await datapath.run(crossConnect({ pairs: [['a', 'b']] }))
    const options = { mtu: MOST_OF_VIRTIO_USER, queueSize: 256 }
    const a = await hostOn(datapath, folder.path, 'a', options)
    const b = await hostOn(datapath, folder.path, 'b', options)
    await using _a = a.host
    await using _b = b.host
    const accounts = account(b.port, b.host)
    const size = [64, 1514, 2048, 4096, MOST_OF_VIRTIO_USER + 14]
    const sent = await a.host.send({ to: b.host, frames: 1000, rate: 2000, size })
    const { delivery, ...wrong } = await accounts(sent)
    assert.deepEqual(wrong, NOTHING_WRONG)
    // How many there was time and room for is a matter of the machine; the books are of all of them.
    assert.ok(delivery.frames > 0, 'none arrived')
  })

  test('received frames that do not fit one buffer are dropped and counted', LIMIT, async () => {
    using folder = socketFolder()
    await using datapath = await Datapath.open(SMALL)
    const lengths: number[] = []
    await datapath.run(({ count, length }) => {
      for (let i = 0; i < count; i++) lengths.push(length[i] as number)
    })
    const sizes = [64, 9014, 1514, 2048, 9014, 2049, 1000]
    const file = `${folder.path}/in.pcap`
    writeFileSync(file, pcap(sizes.map((size, i) => numberedFrame(i, size))))
    const port = await datapath.addPort({
      name: 'file',
      type: 'dpdk',
      devargs: `net_pcap0,rx_pcap=${file},tx_pcap=${folder.path}/out.pcap`,
    })
    await until('all came', () => port.counters().rx.frames === sizes.length)
    assert.equal(port.counters().rx.droppedOversize, 3)
    assert.deepEqual(lengths, [64, 1514, 2048, 1000])
  })

  test('frames of a guest that do not fit one buffer are counted', LIMIT, async () => {
    using folder = socketFolder()
    await using datapath = await Datapath.open(SMALL)
    await datapath.run(crossConnect({ pairs: [['a', 'b']] }))
    const a = await hostOn(datapath, folder.path, 'a', { mtu: 9000, queueSize: 256 })
    const b = await hostOn(datapath, folder.path, 'b', { queueSize: 256 })
    await using _a = a.host
    await using _b = b.host
    const size = [64, 9014, 1514, 2000, 9014]
    const sent = await a.host.send({ to: b.host, frames: 1000, size })
    const { frames, corrupted } = await b.host.delivery(sent)
    assert.equal(corrupted, 0)
    await until('all are counted', () => a.port.counters().rx.frames === sent.frames)
    assert.equal(a.port.counters().rx.droppedOversize, 400)
    const { tx } = b.port.counters()
    // Those of 2000 bytes fit a buffer, but not the MTU of the port.
    assert.equal(tx.droppedOversize, 200)
    assert.equal(frames + tx.droppedRingFull, 400)
    // Another device on the same port: what its ring begins with is no loss.
    await a.host.close()
    await using again = await TestHost.start({ path: `${folder.path}/a`, mtu: 9000 })
    await a.port.ready({ timeoutMs: 60_000 })
    await again.linkUp()
    const more = await again.send({ to: b.host, frames: 300, rate: 2000 })
    await until('all came', () => a.port.counters().rx.frames === sent.frames + more.frames)
    await delay(100)
    assert.equal(a.port.counters().rx.frames, sent.frames + more.frames)
    assert.equal(a.port.counters().rx.droppedOversize, 400)
  })

  test('the MTU of a port is for what it sends', LIMIT, async () => {
    using folder = socketFolder()
    await using datapath = await Datapath.open(SMALL)
    await datapath.run(crossConnect({ pairs: [['small', 'other']] }))
    const small: Port = await datapath.addPort({
      name: 'small',
      type: 'dpdkvhostuserclient',
      path: `${folder.path}/small`,
      mtu: 576,
    })
    await using host = await TestHost.start({ path: `${folder.path}/small` })
    const other = await hostOn(datapath, folder.path, 'other', {})
    await using _other = other.host
    await small.ready({ timeoutMs: 60_000 })
    await host.linkUp()
    const size = [64, 576 + HEADERS, 576 + HEADERS + 1, 1514]
    const counted = () => small.counters().tx
    const handled = ({ frames, droppedOversize, droppedRingFull } = counted()) =>
      frames + droppedOversize + droppedRingFull
    for (let all = 0; ; ) {
      const before = counted()
      const toSmall = await other.host.send({ to: host, frames: 400, rate: 2000, size })
      all += toSmall.frames
      await until('all are dealt with', () => handled() === all)
      // A sender that a busy machine held up leaves some out, of whatever size.
      if (toSmall.skipped.late > 0) continue
      const { frames } = await host.delivery(toSmall)
      const { droppedOversize, droppedRingFull } = counted()
      assert.equal(droppedOversize - before.droppedOversize, 200)
      assert.equal(frames + droppedRingFull - before.droppedRingFull, 200)
      break
    }
    const fromSmall = await host.send({ to: other.host, frames: 400, rate: 2000, size })
    const back = await other.host.delivery(fromSmall)
    assert.equal(back.lost, other.port.counters().tx.droppedRingFull)
    assert.equal(small.counters().rx.droppedOversize, 0)
  })
})
