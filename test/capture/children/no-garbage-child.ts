/** Captures many bursts between the words BEGIN and END; see `no-garbage.test.ts`. */
import { writeSync } from 'node:fs'
import type { Burst } from '../../../src/burst/burst.js'
import { Recorder } from '../../../src/capture/index.js'
import { type RingMemory, RingReader } from '../../../src/capture/ring.js'
import { buildUdp } from '../../../src/headers/build.js'
import { MadeUpBurst } from '../../support/made-up-burst.js'
import { MadeUpCapture } from '../made-up-capture.js'

const [isRead = '', bursts = '0'] = process.argv.slice(2)
const names = ['a', 'b', 'c']
const capture = new MadeUpCapture(names)
const recorder = new Recorder(0)
recorder.configure([capture.image], {
  ids: new Map(names.map((name, id) => [name, id])),
  names: new Map(names.map((name, id) => [id, name])),
})
const program = recorder.around({
  burst(burst: Burst) {
    for (let i = 0; i < burst.count; i++) {
      burst.outPort[i] = 1
      if (i % 8 === 0) burst.copyTo(i, 2)
    }
  },
})
const frames = Array.from({ length: 32 }, (_, i) =>
  buildUdp({
    ...{ source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' },
    ...{ sourceIp: '10.0.0.1', destinationIp: '10.0.0.2', sourcePort: i, destinationPort: 53 },
    payload: new Uint8Array(i),
  }),
)
const lcore = new MadeUpBurst(3)
const burst = lcore.receive(0, frames)
// A reader that is always done, without the blocks it would make garbage of.
const ring = capture.rings[0] as RingMemory
const positions = new Int32Array(ring.buffer, ring.byteOffset, 32)
const reader = new RingReader(ring)

function run(count: number): void {
  const { words, clock } = lcore.memory
  for (let n = 0; n < count; n++) {
    words[3] = 0
    clock[0] = (clock[0] as number) + 0.003
    burst.begin(32)
    program.burst(burst)
    if (isRead === 'read') positions[0] = positions[16] as number
  }
}

// In many calls, so that the optimiser gets to see `run` as well.
for (let i = 0; i < 200; i++) run(100)
globalThis.gc?.()
run(20_000)
writeSync(1, '\nBEGIN\n')
run(Number(bursts))
writeSync(1, '\nEND\n')
const [received, , dropped] = reader.counters(0)
if (received === 0 || dropped > 0 !== (isRead !== 'read')) throw new Error(`${dropped} dropped`)
