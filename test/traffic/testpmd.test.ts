/** A foreign peer: DPDK's own testpmd as two guests. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { Datapath } from '../../src/index.js'
import { crossConnect } from '../../src/programs/cross-connect.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'

/** Two virtio-user ports that send each other's frames on, and a burst to begin with. */
function testpmd(paths: readonly string[], options: string) {
  const vdevs = paths.flatMap((path, i) => [
    '--vdev',
    `net_virtio_user${i},path=${path},server=1,queue_size=256${options}`,
  ])
  const args = [
    ...[
      '--no-huge',
      '--no-shconf',
      '--no-telemetry',
      '--no-pci',
      '-m',
      '128',
      '--lcores',
      '0@(0-1),1@(0-1)',
    ],
    ...vdevs,
    ...['--', '--no-mlockall', '--total-num-mbufs=4096', '--forward-mode=io', '--nb-cores=1'],
    ...['--auto-start', '--tx-first', '--stats-period=1'],
  ]
  const child = spawn('timeout', ['--kill-after=1', '100', 'dpdk-testpmd', ...args], {
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

for (const [ring, options] of [
  ['split', ''],
  ['packed', ',packed_vq=1,in_order=1,mrg_rxbuf=0'],
] as const) {
  test(`testpmd's frames go round, ${ring} ring`, { timeout: 120_000 }, async () => {
    using folder = socketFolder()
    const paths = ['a', 'b'].map((name) => `${folder.path}/${name}`)
    await using datapath = await Datapath.open(SMALL)
    const ports = await Promise.all(
      paths.map((path, i) =>
        datapath.addPort({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path }),
      ),
    )
    await datapath.run(crossConnect())
    await using _guests = testpmd(paths, options)
    for (const port of ports) {
      const { negotiated } = await port.ready({ timeoutMs: 60_000 })
      assert.equal(negotiated?.ring, ring)
    }
    await until(
      '20,000 frames went round',
      () => ports.every((port) => port.counters().tx.frames > 20_000),
      60_000,
    )
    for (const port of ports) {
      const { droppedBadOffset, droppedBadVerdict, droppedNoSuchPort, droppedProgramError } =
        port.counters().rx
      assert.equal(
        droppedBadOffset + droppedBadVerdict + droppedNoSuchPort + droppedProgramError,
        0,
      )
    }
  })
}
