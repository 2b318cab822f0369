/** JavaScript can spoil frames, never the process. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Burst, Datapath, DROP, type Lcore, MAX_PORTS, type Port } from '../../src/index.js'
import { loopback, numberedFrame, SMALL, socketFolder, until } from '../support/loopback.js'

describe('packet memory', () => {
  const folder = socketFolder()
  let datapath: Datapath
  let lcore: Lcore
  let vhost: Port
  let guest: Port

  before(async () => {
    datapath = await Datapath.open(SMALL)
    ;({ vhost, guest } = await loopback(datapath, folder.path))
  })
  after(async () => {
    await datapath.close()
    folder[Symbol.dispose]()
  })

  /** Sends `frames` from the guest and runs `program` on them; returns what became of them on the vhost port. */
  async function through(program: (burst: Burst) => void, frames: number) {
    const before = vhost.counters().rx
    const sent = vhost.counters().tx.frames
    lcore = await datapath.run((burst) => (burst.inPort === vhost.id ? program(burst) : undefined))
    for (let i = 0; i < frames; i++) guest.inject(numberedFrame(i))
    await until(
      `${frames} frames came`,
      () => vhost.counters().rx.frames - before.frames === frames,
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
    await lcore.stop()
    const now = vhost.counters().rx
    return {
      sent: vhost.counters().tx.frames - sent,
      badOffset: now.droppedBadOffset - before.droppedBadOffset,
      badVerdict: now.droppedBadVerdict - before.droppedBadVerdict,
      noSuchPort: now.droppedNoSuchPort - before.droppedNoSuchPort,
      byProgram: now.droppedByProgram - before.droppedByProgram,
    }
  }

  const nothing = { sent: 0, badOffset: 0, badVerdict: 0, noSuchPort: 0, byProgram: 0 }

  test('frames go where the verdict says', async () => {
    const back = await through((burst) => void burst.outPort.fill(vhost.id, 0, burst.count), 50)
    assert.deepEqual(back, { ...nothing, sent: 50 })
  })

  test('a frame without a verdict is dropped and counted', async () => {
    assert.deepEqual(await through(() => {}, 20), { ...nothing, byProgram: 20 })
  })

  test('writing over all of packet memory does not crash the process', async () => {
    const noise = await through((burst) => {
      burst.bytes.fill(0xa5)
      burst.outPort.fill(vhost.id, 0, burst.count)
    }, 3)
    assert.deepEqual(noise, { ...nothing, sent: 3 })
    const again = await through((burst) => void burst.outPort.fill(vhost.id, 0, burst.count), 20)
    assert.deepEqual(again, { ...nothing, sent: 20 })
  })

  test('every wrong offset costs that frame and nothing else', async () => {
    const wrong = [
      0,
      1,
      (at: number) => at - 129,
      (at: number) => at - 100_000,
      (at: number) => at + 2048 - 63,
      (at: number) => at + 100_000,
      0x7fff_ffff,
      0x8000_0000,
      0xffff_ffff,
      0xffff_ff80,
    ]
    let tried = 0
    const result = await through((burst) => {
      for (let i = 0; i < burst.count; i++) {
        const change = wrong[tried++ % wrong.length] as number | ((at: number) => number)
        burst.offset[i] = typeof change === 'number' ? change : change(burst.offset[i] as number)
        burst.outPort[i] = vhost.id
      }
    }, 100)
    // An offset of 0 or 1 may by chance lie in the frame's own buffer, when that is the first one.
    assert.ok(result.badOffset >= 80, `${result.badOffset} counted`)
    assert.equal(result.badOffset + result.sent, 100)
  })

  test('every wrong length costs that frame and nothing else', async () => {
    const wrong = [0, 1, 13, 2049, 4096, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]
    let tried = 0
    const result = await through((burst) => {
      for (let i = 0; i < burst.count; i++) {
        burst.length[i] = wrong[tried++ % wrong.length] as number
        burst.outPort[i] = vhost.id
      }
    }, 100)
    assert.deepEqual(result, { ...nothing, badOffset: 100 })
  })

  test('a header can be pushed into the headroom and popped again', async () => {
    const result = await through((burst) => {
      for (let i = 0; i < burst.count; i++) {
        const push = i % 2 === 0 ? 128 : -4
        burst.offset[i] = (burst.offset[i] as number) - push
        burst.length[i] = (burst.length[i] as number) + push
        burst.outPort[i] = vhost.id
      }
    }, 40)
    assert.deepEqual(result, { ...nothing, sent: 40 })
  })

  test('wrong verdicts are told apart', async () => {
    const wrong = [MAX_PORTS, -2, 0x7fff_ffff, -0x8000_0000, MAX_PORTS - 1, DROP]
    let tried = 0
    const result = await through((burst) => {
      for (let i = 0; i < burst.count; i++)
        burst.outPort[i] = wrong[tried++ % wrong.length] as number
    }, 60)
    assert.deepEqual(result, { ...nothing, badVerdict: 40, noSuchPort: 10, byProgram: 10 })
  })

  test('copies go to every receiver, wrong ones are counted', async () => {
    const result = await through((burst) => {
      for (let i = 0; i < burst.count; i++) {
        burst.copyTo(i, vhost.id)
        burst.copyTo(i, vhost.id)
        burst.copyTo(i, MAX_PORTS + 5)
        burst.copyTo(i + 1000, vhost.id)
        burst.outPort[i] = vhost.id
      }
    }, 10)
    assert.equal(result.sent, 30)
    assert.equal(result.badVerdict, 10)
  })

  test('more copies than the list holds are sent early, none is lost', async () => {
    let wanted = 0
    const result = await through((burst) => {
      for (let i = 0; i < burst.count; i++) {
        for (let copy = 0; copy < 900; copy++) burst.copyTo(i, MAX_PORTS - 1)
        wanted += 900
      }
    }, 10)
    assert.equal(result.noSuchPort, wanted)
  })

  test('after close every view is empty', async () => {
    let seen: Burst | undefined
    await through((burst) => {
      seen = burst
    }, 1)
    assert.ok((seen?.bytes.length ?? 0) > 0)
    await datapath.close()
    assert.equal(seen?.bytes.length, 0)
    assert.equal(seen?.bytes[0], undefined)
  })
})
