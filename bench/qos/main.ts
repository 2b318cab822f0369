/** The process that measures how exact policers and shapers are: guest and port, and lcores that send to it. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Datapath, type Lcore, type Port } from '../../src/index.js'
import { Policer } from '../../src/qos/index.js'
import type { QosCase, QosReply, QosRequest, QosRun, QosStart } from './messages.js'
import type { Offer, Passed } from './source.js'

const SOURCE = new URL('./source.js', import.meta.url)
const SINK = new URL('./sink.js', import.meta.url)
/** More than may pass. */
const OVERLOAD = 1.3
/** Above that, frames are counted and not made. */
const MAKING = 400_000

/** A guest and its port in this process, lcores that send to it, and one that receives for it. */
class QosBench {
  private constructor(
    readonly vhost: Port,
    readonly sources: readonly Lcore[],
  ) {}

  static async open({ memory }: QosStart): Promise<QosBench> {
    const datapath = await Datapath.open({ memory, memoryMiB: 256 })
    const path = join(process.env.RUNTIME_DIRECTORY as string, 'a')
    const vhost = await datapath.addPort({ name: 'vhost', type: 'dpdkvhostuser', path })
    const devargs = `net_virtio_user_a,path=${path},queue_size=4096`
    await datapath.addPort({ name: 'guest', type: 'dpdk', devargs })
    await vhost.ready({ timeoutMs: 10_000 })
    const sources = []
    for (const name of ['one', 'two'])
      sources.push(await datapath.launch(SOURCE, { name, ports: 'pinned' }))
    await datapath.launch(SINK, { name: 'sink', ports: ['guest'], burst: 256 })
    return new QosBench(vhost, sources)
  }

  run(asked: QosCase, seconds: number): Promise<QosRun> {
    return asked.name === 'policer' ? this.#policer(asked, seconds) : this.#shaper(asked, seconds)
  }

  async #policer(asked: QosCase, seconds: number): Promise<QosRun> {
    const { rate, unit, lcores } = asked
    const bytes = unit === 'bit/s' ? 1500 : 64
    const tokens = unit === 'bit/s' ? rate / 8 : rate
    const frames = unit === 'bit/s' ? tokens / bytes : rate
    const real = frames <= MAKING
    const memory = new SharedArrayBuffer(Policer.WORDS * 4)
    // What comes in half a second: an lcore that is held up for less makes up for it.
    const cbs = Math.max(unit === 'bit/s' ? 2 * bytes : 2, tokens / 2)
    const offer: Offer = {
      port: real ? 'vhost' : undefined,
      bytes,
      framesPerSecond: (frames * OVERLOAD) / lcores,
      seconds: seconds + 0.3,
      policer: {
        memory,
        options: { cir: tokens, cbs },
        counts: unit === 'bit/s' ? 'bytes' : 'frames',
      },
    }
    const used = this.sources.slice(0, lcores)
    const before = this.vhost.counters().tx.droppedRingFull
    await Promise.all(used.map((lcore) => lcore.call(offer)))
    await delay(seconds * 1000 + 500)
    const parts = (await Promise.all(used.map((lcore) => lcore.call(undefined)))) as Passed[]
    // Each lcore by its own time, as their first and last refusals are not at the same.
    const shareOf = (count: (part: Passed) => number) =>
      parts
        .filter(({ from, to }) => to > from)
        .reduce((sum, part) => sum + (1000 * count(part)) / (part.to - part.from), 0) / frames
    return {
      ...asked,
      frameBytes: bytes,
      real,
      error: shareOf((part) => part.frames) - 1,
      resolution: lcores / (frames * seconds),
      offered: shareOf((part) => part.offered),
      lost: this.vhost.counters().tx.droppedRingFull - before,
    }
  }

  async #shaper(asked: QosCase, seconds: number): Promise<QosRun> {
    const { rate } = asked
    const bytes = 1514
    const frames = rate / 8 / bytes
    const burst = Math.max(16_384, rate / 8 / 20)
    // It is full soon, and holds more than goes out while an lcore is held up.
    const queueLength = Math.min(2000, Math.max(16, Math.round(frames / 10)))
    await this.vhost.setEgressShaper({ rate, burst, queueLength })
    const before = this.vhost.counters().tx
    const offer: Offer = {
      port: 'vhost',
      bytes,
      framesPerSecond: Math.max(frames * OVERLOAD, 2000),
      seconds: seconds + 0.7,
    }
    await (this.sources[0] as Lcore).call(offer)
    // The burst goes first.
    await delay(400)
    const from = this.#sent()
    await delay(seconds * 1000)
    const to = this.#sent()
    const lost = to.lost - from.lost
    const isFull = this.vhost.counters().tx.droppedShaperFull > before.droppedShaperFull
    await this.vhost.setEgressShaper(undefined)
    await delay(200)
    const expected = (frames * (to.at - from.at)) / 1000
    return {
      ...asked,
      frameBytes: bytes,
      real: true,
      error: (to.frames - from.frames) / expected - 1,
      resolution: 1 / expected,
      offered: isFull ? OVERLOAD : 0,
      lost,
    }
  }

  /** What the shaper let out, whether the guest took it or not. */
  #sent(): { readonly at: number; readonly frames: number; readonly lost: number } {
    const { frames, droppedRingFull: lost } = this.vhost.counters().tx
    return { at: performance.now(), frames: frames + lost, lost }
  }
}

// The bench is gone.
process.on('disconnect', () => process.exit(1))

const send = (reply: QosReply) => process.send?.(reply)
const bench = await QosBench.open(JSON.parse(process.argv[2] as string) as QosStart)
process.on('message', async ({ asked, seconds }: QosRequest) => {
  send({ kind: 'run', run: await bench.run(asked, seconds) })
})
send({ kind: 'started' })
