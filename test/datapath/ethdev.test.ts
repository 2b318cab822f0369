/** Ports on DPDK's other devices: files, and interfaces of the kernel. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Datapath } from '../../src/index.js'
import { crossConnect } from '../../src/programs/cross-connect.js'
import { framesOf, pcap } from '../support/capture-file.js'
import { numberedFrame, SMALL, socketFolder, until } from '../support/loopback.js'

const run = promisify(execFile)

describe('ethdev ports', () => {
  test('from a capture file to a capture file, every byte the same', async () => {
    using folder = socketFolder()
    const at = (name: string) => join(folder.path, name)
    const frames = Array.from({ length: 300 }, (_, i) => numberedFrame(i, 64 + (i % 1400)))
    writeFileSync(at('in.pcap'), pcap(frames))
    await using datapath = await Datapath.open(SMALL)
    await datapath.run(crossConnect())
    // First, because the other one begins to read at once.
    const target = await datapath.addPort({
      name: 'target',
      type: 'dpdk',
      devargs: `net_pcap0,tx_pcap=${at('out.pcap')}`,
    })
    const source = await datapath.addPort({
      name: 'source',
      type: 'dpdk',
      devargs: `net_pcap1,rx_pcap=${at('in.pcap')},tx_pcap=${at('nothing.pcap')}`,
    })
    await until('all went', () => target.counters().tx.frames === frames.length)
    assert.equal(
      source.counters().rx.bytes,
      frames.reduce((sum, { length }) => sum + length, 0),
    )
    await datapath.close()
    const written = framesOf(readFileSync(at('out.pcap')))
    assert.deepEqual(
      written.map((frame) => frame.toString('hex')),
      frames.map((frame) => Buffer.from(frame).toString('hex')),
    )
  })

  // A namespace of its own, so that nothing of this reaches the machine's interfaces.
  const isRoot = process.getuid?.() === 0
  const unshare = isRoot ? ['--net'] : ['--net', '--map-root-user']
  for (const kind of ['tap', 'af_packet']) {
    test(`on an interface of the kernel: ${kind}`, async () => {
      const script = fileURLToPath(new URL('./children/kernel-device.js', import.meta.url))
      await run('unshare', [...unshare, process.execPath, script, kind], {
        timeout: 60_000,
        killSignal: 'SIGKILL',
      })
    })
  }
})
