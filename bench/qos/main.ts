/** `npm run bench -- qos`: how exact policers and shapers are on real lcores. See README.md of the bench. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Datapath, type Lcore, type Port } from '../../src/index.js'
import { Policer } from '../../src/qos/index.js'
import { table } from '../table.js'
import type { Offer, Passed } from './source.js'

const SOURCE = new URL('./source.js', import.meta.url)
const SINK = new URL('./sink.js', import.meta.url)
/** More than may pass. */
const OVERLOAD = 1.3
/** Above that, frames are counted and not made. */
const MAKING = 400_000

/** One measurement. */
export interface QosRun {
  readonly name: string
  /** Bits or frames a second that may pass. */
  readonly rate: number
  readonly unit: 'bit/s' | 'frames/s'
  readonly lcores: number
  readonly frameBytes: number
  /** Whether frames were made and sent, or only counted. */
  readonly real: boolean
  /** What passed, as a share of the tokens of the time in which it did, less one. */
  readonly error: number
  /** Most that a frame at either end makes of that. */
  readonly resolution: number
  /** How much of the rate was offered; too little where this machine was too slow. */
  readonly offered: number
  /** Refused by the ring of the guest, who was too slow. */
  readonly lost: number
}

const BITS = [1e6, 10e6, 100e6, 1e9, 10e9]
const FRAMES = [1e3, 10e3, 100e3, 1e6, 5e6]

export async function measureQos(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { seconds: { type: 'string', default: '2' }, json: { type: 'string' } },
  })
  const seconds = Number(values.seconds)
  const bench = await QosBench.open()
  const runs: QosRun[] = []
  try {
    for (const lcores of [1, 2]) {
      for (const rate of BITS) runs.push(await bench.policer(rate, 'bit/s', lcores, seconds))
      for (const rate of FRAMES) runs.push(await bench.policer(rate, 'frames/s', lcores, seconds))
    }
    for (const rate of BITS) runs.push(await bench.shaper(rate, seconds))
  } finally {
    await bench.close()
  }
  const percent = (share: number) => `${(share * 100).toFixed(3)} %`
  const rows = runs.map((run) => [
    run.name,
    `${run.rate.toLocaleString('en')} ${run.unit}`,
    String(run.lcores),
    String(run.frameBytes),
    run.real ? 'sent' : 'counted',
    run.offered > 1.02 ? percent(run.error) : 'too slow to tell',
    percent(run.resolution),
    String(run.lost),
  ])
  const headings = ['what', 'rate', 'lcores', 'bytes', 'frames', 'error', 'one frame', 'ring full']
  process.stdout.write(`${table([headings, ...rows])}\n`)
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ runs }, null, 2))
}

/** A guest and its port in this process, lcores that send to it, and one that receives for it. */
class QosBench {
  private constructor(
    readonly datapath: Datapath,
    readonly folder: string,
    readonly vhost: Port,
    readonly sources: readonly Lcore[],
    readonly sink: Lcore,
  ) {}

  static async open(): Promise<QosBench> {
    const folder = mkdtempSync(join(tmpdir(), 'qos-'))
    const datapath = await Datapath.open({ memory: 'auto', memoryMiB: 256 })
    const path = join(folder, 'a')
    const vhost = await datapath.addPort({ name: 'vhost', type: 'dpdkvhostuser', path })
    const devargs = `net_virtio_user_a,path=${path},queue_size=4096`
    await datapath.addPort({ name: 'guest', type: 'dpdk', devargs })
    await vhost.ready({ timeoutMs: 10_000 })
    const sources = []
    for (const name of ['one', 'two'])
      sources.push(await datapath.launch(SOURCE, { name, ports: 'pinned' }))
    const sink = await datapath.launch(SINK, { name: 'sink', ports: ['guest'], burst: 256 })
    return new QosBench(datapath, folder, vhost, sources, sink)
  }

  async close(): Promise<void> {
    await this.datapath.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async policer(
    rate: number,
    unit: QosRun['unit'],
    lcores: number,
    seconds: number,
  ): Promise<QosRun> {
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
      parts.reduce((sum, part) => sum + (1000 * count(part)) / (part.to - part.from), 0) / frames
    return {
      name: 'policer',
      rate,
      unit,
      lcores,
      frameBytes: bytes,
      real,
      error: shareOf((part) => part.frames) - 1,
      resolution: lcores / (frames * seconds),
      offered: shareOf((part) => part.offered),
      lost: this.vhost.counters().tx.droppedRingFull - before,
    }
  }

  async shaper(rate: number, seconds: number): Promise<QosRun> {
    const bytes = 1514
    const frames = rate / 8 / bytes
    const burst = Math.max(16_384, rate / 8 / 20)
    await this.vhost.setEgressShaper({ rate, burst, queueLength: 2000 })
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
      name: 'shaper',
      rate,
      unit: 'bit/s',
      lcores: 1,
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
