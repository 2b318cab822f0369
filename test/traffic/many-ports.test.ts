/** An lcore with many ports looks at idle ones less often, but always again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Datapath } from '../../src/index.js'
import { TestHost } from '../../src/testkit/index.js'
import { account, NOTHING_WRONG } from '../support/accounts.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'

/** Ports without a guest, so that two with one are few among many. */
const IDLE_PORTS = 30

test('idle ports are served beside ports that never have nothing', {
  timeout: 120_000,
}, async () => {
  using folder = socketFolder()
  const at = (name: string) => `${folder.path}/${name}`
  await using datapath = await Datapath.open(SMALL)
  const pairs = [
    ['busy0', 'busy1'],
    ['host0', 'host1'],
  ]
  await datapath.launch('dpdk-vhost/programs/cross-connect', { data: { pairs } })
  for (let i = 0; i < IDLE_PORTS; i++) {
    const path = at(`idle${i}`)
    await datapath.addPort({ name: `idle${i}`, type: 'dpdkvhostuserclient', path })
  }
  const ports = await Promise.all(
    [0, 1].map((i) => {
      const path = at(`host${i}`)
      return datapath.addPort({ name: `host${i}`, type: 'dpdkvhostuserclient', path })
    }),
  )
  await using host0 = await TestHost.start({ path: at('host0'), ip: '10.0.0.1' })
  await using host1 = await TestHost.start({ path: at('host1'), ip: '10.0.0.2' })
  await Promise.all(ports.map((port) => port.ready({ timeoutMs: 60_000 })))
  await Promise.all([host0.linkUp(), host1.linkUp()])

  // A device that has frames whenever it is asked.
  const busy = await Promise.all(
    [0, 1].map((i) => {
      const devargs = `net_null${i}`
      return datapath.addPort({ name: `busy${i}`, type: 'dpdk', devargs })
    }),
  )
  await until('the busy ports have taken all turns for a while', () =>
    busy.every((port) => port.counters().rx.frames > 100_000),
  )
  const [lcore] = datapath.lcores
  const emptyPolls = lcore?.counters().emptyPolls
  const ping = await host0.ping('10.0.0.2', { count: 5 })
  assert.deepEqual([ping.sent, ping.received], [5, 5])
  const accounts = account(ports[0]!, host0)
  const { delivery, ...wrong } = await accounts(
    await host1.send({ to: host0, frames: 2000, rate: 10_000 }),
  )
  assert.deepEqual(wrong, NOTHING_WRONG)
  assert.ok(delivery.frames > 500, `${delivery.frames} of 2000 arrived`)
  assert.equal(lcore?.counters().emptyPolls, emptyPolls)
})
