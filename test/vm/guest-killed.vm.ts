/** QEMU gets SIGKILL: in the middle of traffic, and of negotiation. The next one on the same socket goes on. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Port } from '../../src/index.js'
import { until } from '../support/loopback.js'
import { assertReaches, SHAPES, SLOW, shapeName } from './support/guests.js'
import { Lab } from './support/lab.js'
import { PacketGenerator } from './support/packet-generator.js'

describe('a guest that is killed', () => {
  let lab: Lab
  before(async () => {
    lab = await Lab.open()
  })
  after(() => lab?.[Symbol.asyncDispose]())

  for (const [i, shape] of SHAPES.entries()) {
    it(`${shapeName(shape)}, in the middle of its traffic`, async () => {
      const number = 10 + i
      const { guest, port } = await lab.addGuest(number, shape)
      await assertReaches(guest, lab.hostAddress)
      const generator = await PacketGenerator.start(guest, { to: lab.host })
      await generator.flowing(port)

      await lab.undisturbed(async () => {
        await guest.kill()
        await gone(port)
        const killedAt = port.counters()
        const next = await lab.startGuest(number, shape)
        await next.ready(SLOW)
        await assertReaches(next, lab.hostAddress)
        assert.ok(port.counters().rx.frames > killedAt.rx.frames, 'counters go on')
        await next.close()
      })
      await port.remove()
    })
  }

  for (const [i, role] of (['server', 'client'] as const).entries()) {
    it(`QEMU ${role}, half way through negotiation`, async () => {
      const number = 20 + i
      const port = await lab.addPort(number, { role })
      await lab.undisturbed(async () => {
        // Connected: vhost-user speaks, and no guest runs yet. Stopped: firmware or driver is half way through.
        for (const moment of ['connected', 'stopped', 'ready'] as const) {
          const reached = new Promise<void>((resolve) => {
            lab.datapath.on('port', function listener(event) {
              if (event.port !== port.name || event.state !== moment) return
              lab.datapath.off('port', listener)
              resolve()
            })
          })
          const guest = await lab.startGuest(number, { role })
          if (moment === 'stopped') {
            await guest.ready(SLOW)
            await guest.reset()
          }
          await reached
          await guest.kill()
          await gone(port)
        }
        const guest = await lab.startGuest(number, { role })
        await guest.ready(SLOW)
        await assertReaches(guest, lab.hostAddress)
        await guest.close()
      })
      await port.remove()
    })
  }
})

function gone(port: Port): Promise<void> {
  const present = ['connected', 'ready', 'stopped']
  return until('the port saw its guest go', () => !present.includes(port.status.state), 30_000)
}
