/** Switch and guest vanish both, in any order, and come back in any order. */
import { describe, it } from 'node:test'
import { addressOf, assertReaches, SLOW } from './support/guests.js'
import { MortalSwitch } from './support/mortal-switch.js'
import { Pair } from './support/pair.js'

describe('switch and guest are gone', () => {
  for (const role of ['server', 'client'] as const) {
    it(`QEMU ${role}: both killed, in any order, and back in any order`, async () => {
      await using pair = await Pair.start({ role })
      await using vswitch = await MortalSwitch.start(pair.ports)
      await works(pair)
      for (const [goesFirst, comesFirst] of [
        ['switch', 'switch'],
        ['switch', 'guest'],
        ['guest', 'switch'],
        ['guest', 'guest'],
      ]) {
        const goings = [() => vswitch.kill(), () => pair.guests[0].kill()]
        for (const go of goesFirst === 'switch' ? goings : goings.reverse()) await go()
        const comings = [() => vswitch.start(), () => pair.replaceFirst()]
        for (const come of comesFirst === 'switch' ? comings : comings.reverse()) await come()
        await works(pair)
      }
    })

    it(`QEMU ${role}: the switch killed while the driver is unbound`, async () => {
      await using pair = await Pair.start({ role })
      await using vswitch = await MortalSwitch.start(pair.ports)
      await works(pair)
      const [guest, other] = pair.guests
      const { output } = await guest.run('basename $(readlink /sys/class/net/eth0/device)')
      const driver = '/sys/bus/virtio/drivers/virtio_net'
      await guest.run(`echo ${output.trim()} >${driver}/unbind`)
      await vswitch.kill()
      await vswitch.start()
      await other.waitForLink(true, SLOW)
      await guest.run(`echo ${output.trim()} >${driver}/bind; set-up-interface`)
      await works(pair)
    })

    it(`QEMU ${role}: the guest reboots while there is no switch`, async () => {
      await using pair = await Pair.start({ role })
      await using vswitch = await MortalSwitch.start(pair.ports)
      await works(pair)
      await vswitch.kill()
      await pair.links(false)
      await pair.guests[0].reset()
      await vswitch.start()
      await pair.guests[0].ready(SLOW)
      await pair.links(true)
      // QEMU 7.2 forgets the features that a driver accepts while no switch is there; a new start of the driver is
      // what brings them.
      await pair.guests[0].rebindDriver(SLOW)
      await works(pair)
    })
  }
})

async function works(pair: Pair): Promise<void> {
  await pair.ready()
  await pair.links(true)
  await assertReaches(pair.guests[0], addressOf(2))
  await assertReaches(pair.guests[1], addressOf(1))
}
