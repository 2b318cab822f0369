// Our interface is Nova's own: the same elements with the same attributes, of the same ports. Nova 26 (Debian 12) knows
// no packed rings; they are left out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  libvirtInterface,
  neutronPort,
  newVif,
  PLUG_FACTS,
  PLUGS,
  type Plug,
  parseLibvirt,
  RING_SIZES,
  vifSocketPath,
} from '../../src/vif/index.js'
import { noPeers, openstack } from './peers.js'

const ID = 'c9f9a3a2-2a64-4b5e-9a7e-1f1d2c3b4a59'
const RINGS = [undefined, ...RING_SIZES]

function* cases() {
  for (const plug of PLUGS)
    for (const qemuMode of ['client', 'server'] as const)
      for (const queues of [1, 2, 8])
        for (const rxQueueSize of RINGS)
          for (const txQueueSize of RINGS)
            yield { plug, qemuMode, queues, rxQueueSize, txQueueSize }
}

function vifOf({
  plug,
  ...options
}: {
  plug: Plug
  qemuMode: 'client' | 'server'
  queues: number
}) {
  const socket = vifSocketPath(ID, plug, '/var/lib/vhost_sockets')
  return newVif({ id: ID, mac: 'fa:16:3e:00:00:01', socket, plug, ...options })
}

/** Without what a writer chooses: quotes, line breaks, indentation. */
const plain = (xml: string) =>
  xml
    .trim()
    .replaceAll('"', "'")
    .replaceAll(/\s*\n\s*/g, '')

test('interfaces: roles, queues, ring sizes and plugs', { skip: noPeers }, () => {
  const vifs = Array.from(cases(), vifOf)
  const answers = JSON.parse(
    openstack(
      ['xml'],
      vifs.map((vif) => ({
        ...neutronPort(vif),
        vcpus: vif.queues,
        multiqueue: vif.queues > 1,
        rx: vif.rxQueueSize,
        tx: vif.txQueueSize,
      })),
    ),
  ) as { xml: string; plugin: string }[]
  assert.equal(answers.length, vifs.length)
  for (const [i, vif] of vifs.entries()) {
    const { xml, plugin } = answers[i] as { xml: string; plugin: string }
    assert.equal(plain(libvirtInterface(vif)), plain(xml))
    assert.equal(PLUG_FACTS[vif.plug].plugin, plugin)
    assert.equal(parseLibvirt(xml).vifs[0]?.qemuMode, vif.qemuMode)
  }
})
