/** Both roles, both ring layouts, one to four queue pairs: every frame arrives once, intact and in order. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Datapath } from '../../src/index.js'
import { crossConnect } from '../../src/programs/cross-connect.js'
import { TestHost, type TestHostOptions } from '../../src/testkit/index.js'
import { account, NOTHING_WRONG } from '../support/accounts.js'
import { SMALL, socketFolder } from '../support/loopback.js'

const LIMIT = { timeout: 120_000 }

describe('traffic between two guests', () => {
  let datapath: Datapath
  before(async () => {
    datapath = await Datapath.open(SMALL)
    await datapath.run(crossConnect())
  })
  after(() => datapath.close())

  /** Connects two hosts by two ports, and removes all of it afterwards. */
  async function pair(role: 'client' | 'server', options: Partial<TestHostOptions>) {
    const folder = socketFolder()
    const side = async (name: string) => {
      const path = `${folder.path}/${name}`
      const type = role === 'client' ? 'dpdkvhostuserclient' : 'dpdkvhostuser'
      const port = await datapath.addPort({ name, type, path })
      const host = await TestHost.start({ path, listen: role === 'client', ...options })
      await port.ready({ timeoutMs: 60_000 })
      await host.linkUp()
      return { port, host }
    }
    const [a, b] = [await side('a'), await side('b')]
    return {
      a,
      b,
      async [Symbol.asyncDispose]() {
        for (const { port, host } of [a, b]) {
          await host.close()
          await port.remove()
        }
        folder[Symbol.dispose]()
      },
    }
  }

  for (const role of ['client', 'server'] as const) {
    for (const packed of [false, true]) {
      test(`${role}, ${packed ? 'packed' : 'split'} ring`, LIMIT, async () => {
        await using sides = await pair(role, { packed })
        const { a, b } = sides
        assert.equal(a.port.role, role)
        assert.equal(a.port.status.negotiated?.ring, packed ? 'packed' : 'split')
        for (const [from, to] of [
          [a, b],
          [b, a],
        ] as const) {
          const accounts = account(to.port, to.host)
          const { delivery, ...wrong } = await accounts(
            await from.host.send({
              to: to.host,
              frames: 3000,
              rate: 20_000,
              size: [64, 65, 590, 1514],
            }),
          )
          assert.deepEqual(wrong, NOTHING_WRONG)
          assert.ok(delivery.frames > 500, `${delivery.frames} of 3000 arrived`)
        }
      })
    }
  }

  for (const [what, options] of Object.entries<Partial<TestHostOptions>>({
    'not mergeable': { mergeable: false },
    'not in order': { inOrder: false },
    'packed, neither in order nor mergeable': { packed: true, inOrder: false, mergeable: false },
    'small rings': { queueSize: 64 },
  })) {
    test(what, LIMIT, async () => {
      await using sides = await pair('client', options)
      const { a, b } = sides
      const features = a.port.status.negotiated?.features ?? []
      assert.equal(features.includes('VIRTIO_NET_F_MRG_RXBUF'), options.mergeable !== false)
      assert.equal(features.includes('VIRTIO_F_IN_ORDER'), options.inOrder !== false)
      assert.equal(a.port.status.negotiated?.rxRingSize, options.queueSize ?? 1024)
      const accounts = account(b.port, b.host)
      const { delivery, ...wrong } = await accounts(
        await a.host.send({ to: b.host, frames: 2000, rate: 10_000, size: 'imix' }),
      )
      assert.deepEqual(wrong, NOTHING_WRONG)
      // No fewer than a ring holds, even if its guest gets no turn meanwhile.
      const least = (options.queueSize ?? 1024) / 2
      assert.ok(delivery.frames > least, `${delivery.frames} of 2000 arrived`)
    })
  }

  for (const queues of [2, 3, 4]) {
    test(`${queues} queue pairs`, LIMIT, async () => {
      await using sides = await pair('client', { queues })
      const { a, b } = sides
      assert.equal(a.port.status.rxQueues.length, queues)
      assert.equal(a.port.status.txQueues.length, queues)
      for (let queue = 0; queue < queues; queue++) {
        const accounts = account(b.port, b.host)
        const { delivery: _, ...wrong } = await accounts(
          await a.host.send({ to: b.host, frames: 500, rate: 10_000, queue }),
        )
        assert.deepEqual(wrong, NOTHING_WRONG)
        assert.equal(a.port.counters().rxQueues[queue]?.frames, 500, `rx queue ${queue}`)
      }
    })
  }

  test('what the guest sent and what it received is what the port counts', LIMIT, async () => {
    await using sides = await pair('client', {})
    const { a, b } = sides
    const sent = await a.host.send({ to: b.host, frames: 1000, rate: 5000, size: [64, 1000] })
    const { frames, bytes } = await b.host.delivery(sent)
    const { rx } = a.port.counters()
    assert.deepEqual([rx.frames, rx.bytes], [sent.frames, sent.bytes])
    const { tx } = b.port.counters()
    assert.deepEqual([tx.frames, tx.bytes], [frames, bytes])
  })
})
