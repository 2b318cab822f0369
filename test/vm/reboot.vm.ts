/** A guest boots again: by its reset button, and of its own will. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { assertReaches, bootIdOf, SHAPES, SLOW, shapeName } from './support/guests.js'
import { Lab } from './support/lab.js'

describe('a guest that reboots', () => {
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

      const reboots = [() => guest.reset(), () => guest.run('reboot -f').catch(() => {})]
      for (const reboot of reboots) {
        const boot = await bootIdOf(guest)
        const before = port.counters()
        await lab.undisturbed(async () => {
          await reboot()
          await guest.ready(SLOW)
        })
        assert.notEqual(await bootIdOf(guest), boot)
        await assertReaches(guest, lab.hostAddress)
        assert.ok(port.counters().rx.frames > before.rx.frames, 'counters go on')
      }
      assert.equal(port.status.state, 'ready')
      assert.equal(port.status.generation, generation, 'on the same connection')
      assert.equal(port.status.negotiated?.ring, shape.packed ? 'packed' : 'split')
      await guest.close()
    })
  }
})
