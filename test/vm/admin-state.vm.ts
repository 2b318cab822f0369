/** A port that is set down: the guest sees its link go, and come back. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { VirtualMachine } from '../../src/testkit/index.js'
import { assertReaches, SLOW, shapeName } from './support/guests.js'
import { Lab } from './support/lab.js'

describe('a port that is set down and up', () => {
  let lab: Lab
  before(async () => {
    lab = await Lab.open()
  })
  after(() => lab?.[Symbol.asyncDispose]())

  for (const [i, role] of (['server', 'client'] as const).entries()) {
    it(shapeName({ role }), async () => {
      const { guest, port } = await lab.addGuest(10 + i, { role })
      await assertReaches(guest, lab.hostAddress)
      assert.equal(await carrier(guest), '1')

      await lab.undisturbed(async () => {
        await port.setAdminState('down')
        await carrierBecomes(guest, '0')
        await port.setAdminState('up')
        await carrierBecomes(guest, '1')
      })
      await assertReaches(guest, lab.hostAddress)
      await guest.close()
    })
  }
})

async function carrier(guest: VirtualMachine): Promise<string> {
  return (await guest.run('cat /sys/class/net/eth0/carrier', SLOW)).output.trim()
}

async function carrierBecomes(guest: VirtualMachine, wanted: string): Promise<void> {
  const deadline = Date.now() + 60_000
  while ((await carrier(guest)) !== wanted) {
    assert.ok(Date.now() < deadline, `carrier never became ${wanted}`)
    await sleep(200)
  }
}
