// libvirt takes our domains: its schema, and its parser, whose output is read back.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { libvirtDomain, newGuest, newVif, parseVifs } from '../../src/vif/index.js'
import { Random } from '../headers/random.js'
import { randomGuest, randomVif } from './made-up.js'
import { libvirt, noPeers, PEERS } from './peers.js'

const DOMAINS = Array.from({ length: 40 }, (_, seed) => {
  const random = new Random(seed + 1)
  const vifs = [0, 1].map(() => randomVif(random))
  return libvirtDomain(vifs, randomGuest(random))
})

function inFolder<T>(body: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-vhost-vif-'))
  try {
    return body(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test("libvirt's schema accepts them, and not one with a role that is none", {
  skip: noPeers,
}, () => {
  inFolder((folder) => {
    const files = DOMAINS.map((domain, i) => {
      const file = join(folder, `${i}.xml`)
      writeFileSync(file, domain)
      return file
    })
    const schema = join(PEERS, 'usr/share/libvirt/schemas/domain.rng')
    libvirt('xmllint', ['--noout', '--relaxng', schema, ...files])
    const wrong = join(folder, 'wrong.xml')
    writeFileSync(
      wrong,
      (DOMAINS[0] as string).replaceAll(/mode='(client|server)'/g, "mode='peer'"),
    )
    assert.throws(() => libvirt('xmllint', ['--noout', '--relaxng', schema, wrong]), /validate/)
  })
})

test('virsh defines a domain, and what its dumpxml prints is the same description', {
  skip: noPeers,
}, () => {
  const guest = newGuest({ name: 'vm1', uuid: 'b6b1e2c6-9a2d-4a0a-8f5d-0e0b8c1f2a3b', vcpus: 4 })
  const vifs = (['server', 'client'] as const).map((qemuMode, i) =>
    newVif({
      id: `c9f9a3a${i}-2a64-4b5e-9a7e-1f1d2c3b4a59`,
      socket: `/run/vm/vhost${i}.sock`,
      qemuMode,
      mac: `fa:16:3e:00:00:0${i}`,
      queues: 4,
      rxQueueSize: 1024,
      txQueueSize: 512,
      packed: true,
      vmId: guest.uuid as string,
      ...(qemuMode === 'client' ? { reconnect: 5 } : {}),
    }),
  )
  inFolder((folder) => {
    const file = join(folder, 'domain.xml')
    // The driver for tests has domains and machines of its own kinds.
    const domain = libvirtDomain(vifs, guest)
      .replace("<domain type='kvm'>", "<domain type='test'>")
      .replace(/<type [^>]*>hvm/, "<type arch='i686'>hvm")
    writeFileSync(file, domain)
    const output = libvirt('virsh', ['-c', 'test:///default', `define ${file}; dumpxml vm1`])
    const parsed = parseVifs(output.slice(output.indexOf('<domain')))
    assert.deepEqual(
      parsed.vifs,
      vifs.map(({ id: _, ...vif }) => vif),
    )
    assert.deepEqual(parsed.guest, guest)
    assert.deepEqual(parsed.warnings, [])
  })
})
