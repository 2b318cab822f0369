/** What we count for split rings ourselves is what librte_vhost counts for packed ones. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { Datapath, type Port } from '../../src/index.js'
import { crossConnect } from '../../src/programs/cross-connect.js'
import { HostileGuest } from '../hostile/guest.js'
import { pcap } from '../support/capture-file.js'
import { socketFolder, until } from '../support/loopback.js'

const LIMIT = { timeout: 120_000 }

/** The first and last length of each class, and of what a switch may see. */
const LENGTHS = [
  ...[14, 60, 63, 64, 65, 127, 128, 255, 256, 511, 512],
  ...[1023, 1024, 1518, 1519, 2047, 2048, 3014],
]

const ADDRESSES = {
  unicast: [2, 0, 0, 0, 0, 9],
  multicast: [1, 0, 0x5e, 0, 0, 1],
  almostBroadcast: [0xff, 0xff, 0xff, 0xff, 0xff, 0xfe],
  broadcast: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
}

const PAIRS: [string, string][] = [
  ['source-split', 'guest-split'],
  ['source-packed', 'guest-packed'],
  ['split', 'packed'],
  ['a', 'b'],
]

describe('statistics of vrings', () => {
  const folder = socketFolder()
  const guest = new HostileGuest()
  let datapath: Datapath
  before(async () => {
    datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 96, mtu: 3000 })
    await datapath.run(crossConnect({ pairs: PAIRS }))
  })
  after(async () => {
    await datapath.close()
    folder[Symbol.dispose]()
  })

  const at = (name: string) => `${folder.path}/${name}`

  /** A port, and the network card of a guest behind it: a device of DPDK in this process. */
  async function connect(name: string, ring: string): Promise<Port> {
    const path = at(name)
    const port = await datapath.addPort({
      name,
      type: 'dpdkvhostuser',
      path,
      vringStats: true,
    })
    const card = await datapath.addPort({
      name: `guest-${name}`,
      type: 'dpdk',
      devargs: `net_virtio_user_${name},path=${path},queue_size=1024${ring}`,
    })
    await port.ready({ timeoutMs: 60_000 })
    await card.ready({ timeoutMs: 60_000 })
    return port
  }

  async function countersOf(
    name: string,
    direction: 'receive' | 'transmit',
  ): Promise<Record<string, number>> {
    const vring = (await datapath.vringStats())
      .get(name)
      ?.find((one) => one.queue === 0 && one.direction === direction)
    assert.ok(vring, `${name} has no statistics`)
    return Object.fromEntries(vring.counters)
  }

  test('every length, groups and all, split beside packed', LIMIT, async () => {
    const split = await connect('split', '')
    const packed = await connect('packed', ',packed_vq=1')
    assert.equal(split.status.negotiated?.ring, 'split')
    assert.equal(packed.status.negotiated?.ring, 'packed')
    const frames = Object.values(ADDRESSES).flatMap((to) =>
      LENGTHS.map((length) => Uint8Array.from({ length }, (_, i) => to[i] ?? 0x20)),
    )
    writeFileSync(at('frames.pcap'), pcap(frames))
    const source = (name: string) =>
      datapath.addPort({
        name: `source-${name}`,
        type: 'dpdk',
        devargs: `net_pcap_${name},rx_pcap=${at('frames.pcap')},tx_pcap=${at(`${name}.pcap`)}`,
      })
    await source('split')
    await source('packed')
    const all = () => [split, packed].map((port) => port.counters())
    await until('all frames went both ways', () =>
      all().every(({ rx, tx }) => rx.frames === frames.length && tx.frames === frames.length),
    )

    const quarter = frames.length / 4
    const { guest_notifications: _, ...expected } = await countersOf('packed', 'receive')
    assert.deepEqual(expected, {
      ...expected,
      good_packets: frames.length,
      good_bytes: frames.reduce((sum, { length }) => sum + length, 0),
      multicast_packets: 2 * quarter,
      broadcast_packets: quarter,
      undersize_packets: 12,
      size_64_packets: 4,
      size_65_127_packets: 8,
      size_1519_max_packets: 16,
    })
    for (const name of ['split', 'packed']) {
      for (const direction of ['receive', 'transmit'] as const) {
        const { guest_notifications: _, ...counted } = await countersOf(name, direction)
        assert.deepEqual(counted, expected, `${name} ${direction}`)
      }
    }
  })

  test('frames that we copy among frames that librte does', LIMIT, async () => {
    const type = 'dpdkvhostuserclient'
    const options = {
      type,
      reconnect: { firstDelayMs: 1, maxDelayMs: 5 },
      vringStats: true,
    } as const
    const ports = [
      await datapath.addPort({ name: 'a', path: at('a'), ...options }),
      await datapath.addPort({ name: 'b', path: at('b'), ...options }),
    ]
    for (const wishes of [{}, { mixed: true }, { small: true, mixed: true }, { calls: true }]) {
      const { error } = await guest.run('sane', at('a'), at('b'), { frames: 1000, ...wishes })
      assert.equal(error, undefined)
      await until('the guest is gone', () => ports.every(({ status }) => status.state !== 'ready'))
      for (const port of ports) {
        const { rx, tx } = port.counters()
        const received = await countersOf(port.name, 'receive')
        const sent = await countersOf(port.name, 'transmit')
        assert.deepEqual([received.good_packets, received.good_bytes], [rx.frames, rx.bytes])
        assert.deepEqual([sent.good_packets, sent.good_bytes], [tx.frames, tx.bytes])
        const calls = Number(sent.guest_notifications) + Number(received.guest_notifications)
        assert.equal(calls !== 0, 'calls' in wishes, `${calls} calls`)
      }
    }
  })
})
