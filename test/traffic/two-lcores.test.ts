/** Two lcores share ports and queues; frames of a flow stay in order. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Datapath } from '../../src/index.js'
import { crossConnect } from '../../src/programs/cross-connect.js'
import { TestHost } from '../../src/testkit/index.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'

describe('two lcores', () => {
  for (const { title, queues } of [
    { title: 'one port each', queues: 1 },
    { title: 'two ports of four queues between them', queues: 4 },
  ]) {
    test(title, { timeout: 120_000 }, async () => {
      using folder = socketFolder()
      await using datapath = await Datapath.open(SMALL)
      const paths = ['a', 'b'].map((name) => `${folder.path}/${name}`)
      const ports = await Promise.all(
        paths.map((path, i) =>
          datapath.addPort({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path }),
        ),
      )
      const lcores = [
        await datapath.launch('dpdk-vhost/programs/cross-connect'),
        await datapath.run(crossConnect()),
      ]
      await using a = await TestHost.start({ path: paths[0] as string, queues })
      await using b = await TestHost.start({ path: paths[1] as string, queues })
      for (const port of ports) await port.ready({ timeoutMs: 60_000 })
      await a.linkUp()
      await b.linkUp()
      await until('all queues are enabled', () =>
        ports.every((port) => port.status.rxQueues.length === queues),
      )

      const sendings = []
      for (let queue = 0; queue < queues; queue++) {
        sendings.push(await a.startSending({ to: b, rate: 4000, flows: 5, queue }))
        sendings.push(await b.startSending({ to: a, rate: 4000, flows: 5, queue }))
      }
      await new Promise((resolve) => setTimeout(resolve, 1000))
      let lost = 0
      for (const [i, sending] of sendings.entries()) {
        const delivery = await (i % 2 === 0 ? b : a).delivery(await sending.stop())
        const { reordered, duplicated, corrupted } = delivery
        assert.deepEqual(
          { reordered, duplicated, corrupted },
          { reordered: 0, duplicated: 0, corrupted: 0 },
        )
        lost += delivery.lost
      }
      // A host that is not given the time to empty its rings loses frames; the switch counts them.
      const counted = ports.reduce((sum, port) => sum + port.counters().tx.droppedRingFull, 0)
      assert.equal(lost, counted)
      for (const lcore of lcores) {
        const { burstSizes } = lcore.counters()
        assert.ok(
          burstSizes.some((count) => count > 0),
          `${lcore.thread} lcore had frames`,
        )
      }
    })
  }
})
