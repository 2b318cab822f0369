/** The switch gets SIGKILL while guests talk through it. Its successor finds their sockets, and nobody touches the guests. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addressOf, assertReaches, bootIdOf, SHAPES, SLOW, shapeName } from './support/guests.js'
import { MortalSwitch } from './support/mortal-switch.js'
import { Pair } from './support/pair.js'
import { Pinging } from './support/pinging.js'
import { TcpStream } from './support/tcp-stream.js'

describe('the switch is killed', () => {
  for (const shape of SHAPES.filter(({ packed }) => !packed)) {
    it(`${shapeName(shape)}: pings and a TCP stream go on`, async () => {
      await using pair = await Pair.start(shape)
      const [one, two] = pair.guests
      await using vswitch = await MortalSwitch.start(pair.ports)
      await pair.ready()
      const boots = await Promise.all(pair.guests.map(bootIdOf))
      await using pinging = new Pinging(one, addressOf(2))
      await pinging.goesOn()

      await using stream = await TcpStream.start(two, one)
      for (let round = 0; round < 3; round++) {
        await stream.goesOn()
        await vswitch.kill()
        await pair.links(false)
        await vswitch.start()
        await pinging.goesOn()
        await stream.goesOn()
      }
      assert.equal(await stream.received(), await stream.sent(), 'every byte arrived, once')
      assert.deepEqual(await Promise.all(pair.guests.map(bootIdOf)), boots, 'no guest booted')
    })
  }

  // No net device keeps what is under way in a packed ring where a successor finds it: see decision 4.
  for (const shape of SHAPES.filter(({ packed }) => packed)) {
    it(`${shapeName(shape)}: traffic is back when the drivers are bound anew`, async () => {
      await using pair = await Pair.start(shape)
      const [one, two] = pair.guests
      await using vswitch = await MortalSwitch.start(pair.ports)
      await pair.ready()
      await assertReaches(one, addressOf(2))
      await vswitch.kill()
      await pair.links(false)
      await vswitch.start()
      await pair.links(true)
      for (const guest of pair.guests) await guest.rebindDriver(SLOW)
      await assertReaches(one, addressOf(2))
      await assertReaches(two, addressOf(1))
    })
  }
})
