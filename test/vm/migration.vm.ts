/**
 * A running guest moves from one QEMU to another, both on ports of the switch. Meanwhile the switch writes to a log what
 * guest memory it changes (VHOST_F_LOG_ALL), or the guest would lose what it received during the copy.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '../support/loopback.js'
import { assertReaches, bootIdOf, SHAPES, SLOW, shapeName } from './support/guests.js'
import { Lab } from './support/lab.js'
import { Pinging } from './support/pinging.js'

const LOG_ALL = 1n << 26n
/** Slow enough that the guest is found migrating. */
const CRAWL = { bytesPerSecond: 1_000_000 }

describe('a guest that migrates', () => {
  let lab: Lab
  before(async () => {
    lab = await Lab.open()
  })
  after(() => lab?.[Symbol.asyncDispose]())

  for (const [i, shape] of SHAPES.entries()) {
    it(shapeName(shape), async () => {
      const number = 10 + 2 * i
      const { guest } = await lab.addGuest(number, shape)
      const port = await lab.addPort(number + 1, shape)
      // The same device of the same guest: only its name outside and its socket are others.
      const same = { ...shape, mac: guest.spec.mac, incoming: true }
      const other = await lab.startGuest(number + 1, same)
      const boot = await bootIdOf(guest)
      await assertReaches(guest, lab.hostAddress)
      const log = '/tmp/pings'
      await guest.run(`(ping -i 0.1 ${lab.hostAddress} >${log} 2>&1 &) >/dev/null 2>&1`)

      const before = lab.log.length
      await lab.undisturbed(async () => {
        // What the guest receives meanwhile is what has to be logged.
        await using _frames = await lab.host.startSending({ to: guest.spec.mac, rate: 1000 })
        await guest.migrateTo(other, SLOW)
      })
      assert.equal(loggingChanges(lab, before)[0], true, 'the switch was told to log')
      assert.equal(port.status.state, 'ready')
      assert.equal(await bootIdOf(other), boot, 'it is the same guest, and did not boot')
      await guest.close()
      await assertReaches(other, lab.hostAddress)
      const { output } = await other.run(
        `before=$(wc -l <${log}); sleep 3; echo $(($(wc -l <${log}) - before))`,
      )
      assert.ok(Number(output) >= 5, `its ping goes on: ${output} more answers`)
      await other.close()
    })
  }

  it('and stays after all', async () => {
    const { guest, port } = await lab.addGuest(30)
    await lab.addPort(31)
    const other = await lab.startGuest(31, { mac: guest.spec.mac, incoming: true })
    await using pinging = new Pinging(guest, lab.hostAddress)
    await pinging.goesOn()

    const before = lab.log.length
    const enough = new AbortController()
    await lab.undisturbed(async () => {
      const moving = guest.migrateTo(other, { ...CRAWL, ...SLOW, signal: enough.signal })
      moving.catch(() => {})
      await until('the switch logs', () => loggingChanges(lab, before).includes(true), 30_000)
      // Every answer is written to guest memory and to the log.
      await pinging.goesOn()
      enough.abort(new Error('the guest shall stay'))
      await assert.rejects(moving, /the guest shall stay/)
      await until('the log ends', () => loggingChanges(lab, before).at(-1) === false, 30_000)
      await pinging.goesOn()
    })
    assert.equal(port.status.state, 'ready')
  })
})

/** What the features that QEMU set since then say of logging, once for every change. */
function loggingChanges(lab: Lab, since: number): boolean[] {
  const set = lab.log
    .slice(since)
    .map(({ message }) => /negotiated Virtio features: (0x[0-9a-f]+)/.exec(message)?.[1])
    .filter((features) => features !== undefined)
    .map((features) => (BigInt(features) & LOG_ALL) !== 0n)
  return set.filter((on, i) => on !== set[i - 1])
}
