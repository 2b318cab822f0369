// What is made of a description, read again, is the description: all of it that the artefact has.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Guest,
  libvirtDomain,
  libvirtInterface,
  neutronPort,
  newVif,
  ovsdbTransaction,
  parseLibvirt,
  parseNeutron,
  parseQemu,
  parseVifs,
  qemuArguments,
  renderVifsText,
  type Vif,
} from '../../src/vif/index.js'
import { Random, seeds } from '../headers/random.js'
import { randomGuest, randomVif } from './made-up.js'

const ROUNDS = 100

/** A description without what an artefact does not say; its name is then found anew. */
function without(vif: Vif, ...keys: (keyof Vif)[]): Vif {
  const kept = Object.entries(vif).filter(([key]) => !keys.includes(key as keyof Vif))
  return newVif(Object.fromEntries(kept) as unknown as Vif)
}

function property(what: string, body: (random: Random) => void): void {
  for (const seed of seeds()) {
    test(`${what}, seed ${seed}`, () => {
      const random = new Random(seed)
      for (let i = 0; i < ROUNDS; i++) body(random)
    })
  }
}

property('Neutron', (random) => {
  const vif = randomVif(random)
  const { vifs } = parseNeutron(JSON.parse(JSON.stringify(neutronPort(vif))))
  assert.deepEqual(vifs, [
    without(vif, 'queues', 'rxQueueSize', 'txQueueSize', 'packed', 'reconnect'),
  ])
})

property('libvirt: interfaces and domains', (random) => {
  const guest = randomGuest(random)
  const [one, other] = [0, 1].map(() => randomVif(random, { vmId: guest.uuid as string }))
  // The plug is seen by the name of the device.
  const seen = (vif: Vif) => ({
    ...without(vif, 'id', 'mtu', 'bridge', 'plug'),
    plug: vif.plug === 'ovs' ? 'ovs' : 'generic',
  })
  const parsed = parseVifs(libvirtDomain([one as Vif, other as Vif], guest))
  assert.deepEqual(parsed.vifs, [seen(one as Vif), seen(other as Vif)])
  assert.deepEqual(parsed.guest, guest)
  assert.equal(parsed.warnings.length, guest.shared ? 0 : 1)
  const { vmId: _, ...alone } = seen(one as Vif)
  assert.deepEqual(parseLibvirt(libvirtInterface(one as Vif)).vifs, [alone])
})

property('QEMU: arguments, a line for a shell, /proc/PID/cmdline', (random) => {
  const guest: Guest = randomGuest(random)
  const vifs = [0, 1].map(() => randomVif(random, { vmId: guest.uuid as string }))
  const seen = vifs.map((vif) => without(vif, 'id', 'name', 'plug', 'bridge'))
  const args = qemuArguments(vifs, guest)
  const line = `2026-11-21 19:00:00.000+0000: can't say\n/usr/bin/qemu-system-x86_64 \\\n${renderVifsText('qemu', vifs, guest)}\nchar device 'x' isn't`
  for (const parsed of [
    parseQemu(args),
    parseVifs(line),
    parseVifs(`qemu\0${args.join('\0')}\0`),
  ]) {
    assert.deepEqual(parsed.vifs, seen)
    assert.deepEqual(parsed.guest, guest)
    assert.equal(parsed.warnings.length, guest.shared ? 0 : 1)
  }
})

property('OVSDB: rows as a transaction inserts them', (random) => {
  const vif = randomVif(random, { plug: 'ovs', qemuMode: 'server', bridge: 'br-int' })
  const [, ...operations] = ovsdbTransaction(vif).params
  const rows = (operations as { op: string; table: string; row: object }[])
    .filter(({ op }) => op === 'insert')
    .map(({ table, row }) => ({ ...row, _uuid: ['named-uuid', table.toLowerCase()] }))
  const bridge = { name: 'br-int', ports: ['named-uuid', 'port'] }
  const { vifs } = parseVifs(JSON.stringify([{ rows: [...rows, bridge] }]))
  assert.deepEqual(vifs, [
    without(vif, 'queues', 'rxQueueSize', 'txQueueSize', 'packed', 'reconnect'),
  ])
})

property('a description as it is printed', (random) => {
  const [vifs, guest] = [[randomVif(random)], randomGuest(random)]
  const parsed = parseVifs(JSON.stringify({ vifs, guest, warnings: [] }))
  assert.deepEqual(parsed, { vifs, guest, warnings: [] })
})
