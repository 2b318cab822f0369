/** The guest's driver lets go of its device in the middle of traffic, and takes it again. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '../support/loopback.js'
import { assertReaches, SHAPES, SLOW, shapeName } from './support/guests.js'
import { Lab } from './support/lab.js'
import { PacketGenerator } from './support/packet-generator.js'

describe('a driver that is unbound and bound', () => {
  let lab: Lab
  before(async () => {
    lab = await Lab.open()
  })
  after(() => lab?.[Symbol.asyncDispose]())

  for (const [i, shape] of SHAPES.entries()) {
    it(shapeName(shape), async () => {
      const { guest, port } = await lab.addGuest(10 + i, shape)
      await assertReaches(guest, lab.hostAddress)
      const { generation } = port.status

      await lab.undisturbed(async () => {
        for (let round = 0; round < 3; round++) {
          const generator = await PacketGenerator.start(guest, { to: lab.host })
          await generator.flowing(port)
          await guest.rebindDriver(SLOW)
          await assertReaches(guest, lab.hostAddress)
        }
      })

      // Without a driver for a while, and frames that nobody there can take.
      await lab.undisturbed(async () => {
        const { output } = await guest.run('basename $(readlink /sys/class/net/eth0/device)')
        const device = output.trim()
        const driver = '/sys/bus/virtio/drivers/virtio_net'
        await guest.run(`echo ${device} >${driver}/unbind`)
        await until('the port is stopped', () => port.status.state === 'stopped', 30_000)
        await lab.host.send({ to: guest.spec.mac, frames: 500 })
        await guest.run(`echo ${device} >${driver}/bind; set-up-interface`)
      })
      await assertReaches(guest, lab.hostAddress)
      assert.equal(port.status.generation, generation, 'on the same connection')
      await guest.close()
    })
  }
})
