import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestHost } from '../../src/testkit/index.js'
import type { BenchProcess } from '../process.js'
import type { SwitchSetup } from '../reconnect/contender.js'
import { betweenGuests } from '../start/between-guests.js'
import type { FootprintContender } from './contender.js'
import { type MemoryUse, memoryOf, threadsOf } from './proc.js'

const PATIENCE_MS = 20_000
const LOOK_MS = 20

/** What starting took is over, and heaps have been written down. */
const SETTLING_MS = 1200

/** A load has come to be regular. */
const RAMP_MS = 200

/** V8's heap of one thread, in bytes. */
export interface Heap {
  /** 0 is the main thread. */
  readonly thread: number
  readonly used: number
  readonly total: number
}

/** CPU seconds a second. */
export interface CpuUse {
  readonly all: number
  /** Of the thread that used most: the one that polls. */
  readonly busiest: number
}

export interface LoadSample {
  /** Frames a second that were offered. */
  readonly offered: number
  /** Frames a second, in millions, that arrived. */
  readonly mpps: number
  readonly cpu: CpuUse
}

/** One switch, once. */
export interface FootprintSample {
  readonly memory: MemoryUse
  /** Empty where it is none of ours. */
  readonly heaps: readonly Heap[]
  readonly idle: CpuUse
  readonly loads: readonly LoadSample[]
}

export interface Times {
  readonly idleMs: number
  readonly loadMs: number
}

/**
 * Looks at a switch between two guests that at first send nothing, and then as many frames a second as `rates` say.
 *
 * @throws the signal's reason when it is aborted
 */
export function sampleFootprint(
  contender: FootprintContender,
  shared: Pick<SwitchSetup, 'cpus' | 'memory'>,
  rates: readonly number[],
  { idleMs, loadMs }: Times,
  signal: AbortSignal,
): Promise<FootprintSample> {
  return betweenGuests(contender, shared, signal, async ({ sender, receiver, folder, start }) => {
    await using running = start()
    const pause = async (ms: number) => {
      await Promise.race([sleep(ms, undefined, { signal }), running.failed])
    }

    // Where both have been heard of, nothing is flooded and nobody has to learn.
    await forwards(sender, receiver, running, pause)
    await forwards(receiver, sender, running, pause)
    await pause(SETTLING_MS)
    const idle = await cpuUse(running, () => pause(idleMs))
    const memory = memoryOf(running.pid)
    const loads: LoadSample[] = []
    for (const offered of rates) {
      await using sending = await sender.startSending({ to: receiver, rate: offered })
      await pause(RAMP_MS)
      const before = await framesOf(receiver, sending)
      const cpuUsed = await cpuUse(running, () => pause(loadMs))
      const after = await framesOf(receiver, sending)
      const mpps = (after.frames - before.frames) / (after.at - before.at) / 1000
      loads.push({ offered, mpps, cpu: cpuUsed })
    }
    return { memory, heaps: contender.ours ? heapsIn(folder) : [], idle, loads }
  })
}

async function framesOf(receiver: TestHost, sending: { readonly stream: number }) {
  const { frames } = await receiver.receivedOf(sending)
  return { frames, at: performance.now() }
}

/** Sends until a frame arrives. */
async function forwards(
  from: TestHost,
  to: TestHost,
  running: BenchProcess,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  await using sending = await from.startSending({ to, rate: 1000 })
  for (const deadline = performance.now() + PATIENCE_MS; ; await pause(LOOK_MS)) {
    if ((await to.receivedOf(sending)).frames > 0) return
    if (performance.now() < deadline) continue
    throw new Error(`no frame within ${PATIENCE_MS / 1000} s; it said last:\n${running.output}`)
  }
}

async function cpuUse({ pid }: BenchProcess, during: () => Promise<void>): Promise<CpuUse> {
  const before = new Map(threadsOf(pid).map(({ id, cpuSeconds }) => [id, cpuSeconds]))
  const begun = performance.now()
  await during()
  const seconds = (performance.now() - begun) / 1000
  const used = threadsOf(pid).map(({ id, cpuSeconds }) => cpuSeconds - (before.get(id) ?? 0))
  const all = used.reduce((sum, one) => sum + one, 0)
  return { all: all / seconds, busiest: Math.max(...used) / seconds }
}

function heapsIn(folder: string): Heap[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.heap'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Heap)
    .sort((a, b) => a.thread - b.thread)
}
