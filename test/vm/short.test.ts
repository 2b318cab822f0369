/**
 * The short form of these tests, for `npm test`: a Linux guest in QEMU pings through the switch, which is killed; the
 * ping goes on.
 */
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { TestHost, VirtualMachineError } from '../../src/testkit/index.js'
import { socketFolder } from '../support/loopback.js'
import { addressOf, portFor, SLOW, socketOf, startGuest } from './support/guests.js'
import { MortalSwitch } from './support/mortal-switch.js'
import { Pinging } from './support/pinging.js'

// Where our scripts cannot install a guest's kernel it is no fault of the switch that there is none.
const installable = process.arch === 'x64' && existsSync('/etc/debian_version')

test('a guest pings on when the switch is killed', { timeout: 240_000 }, async (t) => {
  using folder = socketFolder()
  const [guestNumber, hostNumber] = [1, 2]
  const ports = [guestNumber, hostNumber].map((number) => portFor(folder.path, number))
  await using guest = await startGuest(folder.path, guestNumber).catch((error) => {
    if (installable || !isMissing(error)) throw error
    t.skip(error.message)
    return undefined
  })
  if (!guest) return
  const path = socketOf(folder.path, hostNumber)
  await using _host = await TestHost.start({ path, ip: addressOf(hostNumber) })
  await using vswitch = await MortalSwitch.start(ports)
  await guest.ready(SLOW)

  await using pinging = new Pinging(guest, addressOf(hostNumber))
  await pinging.goesOn()
  await vswitch.kill()
  await guest.waitForLink(false, SLOW)
  await vswitch.start()
  await pinging.goesOn()
})

function isMissing(error: unknown): error is VirtualMachineError {
  return error instanceof VirtualMachineError && error.code === 'ERR_VM_MISSING'
}
