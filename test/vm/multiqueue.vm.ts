/** A guest changes how many of its 16 queue pairs it uses, while it sends, and the switch follows. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Port } from '../../src/index.js'
import type { VirtualMachine } from '../../src/testkit/index.js'
import { until } from '../support/loopback.js'
import { assertReaches, SHAPES, SLOW, shapeName } from './support/guests.js'
import { Lab } from './support/lab.js'
import { PacketGenerator } from './support/packet-generator.js'
import { Pinging } from './support/pinging.js'

const QUEUES = 16
const FRAMES = 1600

describe('a guest that changes its number of queues', () => {
  let lab: Lab
  before(async () => {
    lab = await Lab.open()
  })
  after(() => lab?.[Symbol.asyncDispose]())

  for (const [i, shape] of SHAPES.entries()) {
    it(shapeName(shape), async () => {
      const options = { ...shape, queues: QUEUES, cpus: 2, programs: ['ethtool'] }
      const added = await lab.addGuest(10 + i, options)
      const { guest } = added
      let { port } = added
      await usesQueues(port, 2)
      await using pinging = new Pinging(guest, lab.hostAddress)

      await lab.undisturbed(async () => {
        for (const queues of [1, 4, QUEUES, 3, QUEUES]) {
          const endless = await PacketGenerator.start(guest, { to: lab.host, queues: QUEUES })
          await endless.flowing(port)
          await chooseQueues(guest, queues)
          await usesQueues(port, queues)
          await pinging.goesOn()
          await stopGenerator(guest, endless)
          await everyQueueCarries(lab, guest, port, queues)
        }
      })
      await assertReaches(guest, lab.hostAddress)

      // A port that finds its guest with many queues in use polls all of them, however they were announced.
      for (let round = 0; !shape.packed && round < 5; round++) {
        await port.remove()
        await guest.waitForLink(false, SLOW)
        port = await lab.addPort(10 + i, options)
        await guest.waitForLink(true, SLOW)
        await usesQueues(port, QUEUES)
        await everyQueueCarries(lab, guest, port, QUEUES)
      }

      // After a reboot the guest begins with a queue for each CPU again.
      await guest.reset()
      await guest.ready(SLOW)
      await usesQueues(port, 2)
      await assertReaches(guest, lab.hostAddress)
      await guest.close()
    })
  }
})

async function chooseQueues(guest: VirtualMachine, queues: number): Promise<void> {
  const { exitCode, output } = await guest.run(`ethtool -L eth0 combined ${queues}`, SLOW)
  assert.equal(exitCode, 0, output)
}

function usesQueues(port: Port, count: number): Promise<void> {
  const wanted = Array.from({ length: count }, (_, queue) => queue).join()
  return until(
    `${count} queue pairs are in use`,
    () => port.status.rxQueues.join() === wanted && port.status.txQueues.join() === wanted,
    30_000,
  )
}

async function stopGenerator(guest: VirtualMachine, generator: PacketGenerator): Promise<void> {
  await guest.run('echo stop >/proc/net/pktgen/pgctrl', SLOW)
  await generator.sent
}

/** Frames go out of all the queues in use, and each is received, by its queue. */
async function everyQueueCarries(
  lab: Lab,
  guest: VirtualMachine,
  port: Port,
  queues: number,
): Promise<void> {
  const before = port.counters().rxQueues
  const generator = await PacketGenerator.start(guest, { to: lab.host, frames: FRAMES, queues })
  assert.equal(await generator.sent, FRAMES)
  const more = () =>
    port
      .counters()
      .rxQueues.slice(0, queues)
      .map((queue, i) => queue.frames - (before[i]?.frames ?? 0))
  await until(
    'every queue has carried its part',
    () => more().every((frames) => frames >= Math.floor(FRAMES / queues)),
    30_000,
  )
}
