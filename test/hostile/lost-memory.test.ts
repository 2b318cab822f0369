/** A guest takes back memory that it shares: the switch lives, says so and hangs up; others lose nothing. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { until } from '../support/loopback.js'
import { AttackedSwitch } from './switch.js'

describe('memory that is gone', () => {
  let attacked: AttackedSwitch
  before(async () => {
    attacked = await AttackedSwitch.start()
  })
  after(() => attacked[Symbol.asyncDispose]())

  for (const rings of [false, true]) {
    for (const vhostNet of [{}, { mixed: true }]) {
      const how = `${rings ? 'with the rings' : 'but for the rings'}${vhostNet.mixed ? ', librte copies' : ''}`
      test(how, { timeout: 120_000 }, async () => {
        const [port] = attacked.ports
        assert.ok(port)
        const before = port.counters().peer.memoryFaults
        const { cut } = await attacked.attack('lost-memory', { ...vhostNet, rings: rings ? 1 : 0 })
        assert.equal(cut, 1)
        assert.ok(port.counters().peer.memoryFaults > before)
        await until('it is told', () =>
          /memory that the peer shared/.test(port.status.reason ?? ''),
        )
        await port.reconnect()
        await attacked.isSane()
      })
    }
  }
})
