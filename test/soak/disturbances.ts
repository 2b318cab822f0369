import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Random } from '../headers/random.js'
import type { Stage } from './stage.js'

/** Something that happens to a switch, and is over when it resolves: ports, guests and rules are as before. */
export type Disturbance = (stage: Stage, random: Random) => Promise<void>

const FLOODING = fileURLToPath(new URL('../../examples/vswitch/no-telnet.js', import.meta.url))

const pause = (random: Random, mostMs = 200) => sleep(random.between(0, mostMs))

/** By what they do. None of them touches the steady guests and their ports. */
export const DISTURBANCES: Readonly<Record<string, Disturbance>> = {
  async 'guest killed'(stage, random) {
    const guest = random.pick(stage.doomed)
    await guest.kill()
    await pause(random)
    await guest.start()
    await guest.linkUp()
  },
  async 'guest ended and started'(stage, random) {
    const guest = random.pick(stage.doomed)
    await guest.close()
    await pause(random)
    await guest.start()
    await guest.linkUp()
  },
  'guest stood still': (stage, random) =>
    random.pick(stage.doomed).standStill(random.between(1, 400)),
  async 'port without a guest added and removed'({ client, spare }, random) {
    const { name, path } = random.pick(spare)
    const type = random.pick(['dpdkvhostuserclient', 'dpdkvhostuser'])
    await client.portAdd({ name, path, type })
    await pause(random)
    await client.portDelete(name)
  },
  async 'port of a guest removed and added'(stage, random) {
    const guest = random.pick(stage.doomed)
    await stage.client.portDelete(guest.name)
    await pause(random)
    await stage.client.portAdd(guest.port)
    stage.remade[guest.name] = (stage.remade[guest.name] ?? 0) + 1
    await guest.linkUp()
  },
  async 'port down and up'(stage, random) {
    const guest = random.pick(stage.doomed)
    await stage.client.portSet(guest.name, { adminState: 'down' })
    await pause(random)
    await stage.client.portSet(guest.name, { adminState: 'up' })
    await guest.linkUp()
  },
  async 'policers set and taken away'({ client, doomed }, random) {
    const { name } = random.pick(doomed)
    const cir = random.between(1000, 10_000_000)
    await client.portSet(name, {
      ingressPolicer: { cir, cbs: cir },
      egressShaper: { rate: 8 * cir },
    })
    await pause(random)
    await client.portSet(name, { ingressPolicer: null, egressShaper: null })
  },
  async 'program loaded, replaced and unloaded'({ client }, random) {
    for (let times = random.between(1, 3); times > 0; times--) {
      await client.programLoad('br0', FLOODING, { port: random.between(1, 65_535) })
      await pause(random)
    }
    await client.programUnload('br0')
  },
  async 'rules added and deleted'({ client }, random) {
    const rules = Array.from(
      { length: random.between(1, 200) },
      (_, i) => `priority=${10 + i},udp,tp_dst=${random.between(1, 1000)},actions=drop`,
    )
    await client.flowReplace('br0', [...rules, 'priority=0,actions=normal'])
    await pause(random)
    await client.flowReplace('br0', ['priority=0,actions=normal'])
  },
  async 'configuration reloaded'(stage, random) {
    const { name, path } = random.pick(stage.spare)
    const mirror = { name: 'm', selectAll: true, outputPort: name }
    stage.configure({
      bridge: { ageing: random.between(10, 1000), mirrors: random.below(2) ? [mirror] : [] },
      ports: [{ name, path, type: 'dpdkvhostuserclient' }],
    })
    await stage.client.reload()
    await pause(random)
    stage.configure()
    await stage.client.reload()
  },
  async 'wrong configuration refused'(stage) {
    stage.vswitch.write({ bridges: [{ name: 'br0', ageing: -1 }] })
    const refused = await stage.client.reload().then(
      () => false,
      () => true,
    )
    stage.configure()
    if (!refused) throw new Error('a wrong configuration was taken')
  },
  'addresses forgotten': async ({ client }) => {
    await client.macFlush('br0')
  },
  async 'metrics read'({ client }) {
    await client.metrics()
  },
  async 'capture, read by nobody'({ client }, random) {
    const { id, stream } = await client.capture({ ports: ['b', 'd'] })
    await pause(random)
    await client.captureEnd(id)
    stream.resume()
    await once(stream, 'close')
  },
}
