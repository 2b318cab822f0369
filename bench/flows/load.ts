import type { Load } from '../load.js'
import { OwnProcess } from '../own/own-process.js'
import { RING_ARGUMENTS } from '../ring-arguments.js'
import type { Setup } from '../setup.js'
import type { FlowLoadName, LoadReply, LoadRequest, LoadStart, LoadTotals } from './messages.js'

/** Descriptors of each virtqueue: no less than half of the frames, so that nothing is ever lost. */
const QUEUE_SIZE = 8192

/**
 * Many flows or many sizes: a process of ours as two guests, which puts up to 10,000 frames on their way and then sends what it gets at one
 * port out of the other, by the loop in C++ that looks at no frame.
 */
export class FlowLoad extends OwnProcess<LoadRequest, LoadReply> implements Load {
  #last: LoadTotals | undefined
  #counted: LoadTotals | undefined

  constructor({ ring, frameBytes, sockets, folder, cpus, memory }: Setup, kind: FlowLoadName) {
    const start: LoadStart = {
      devargs: sockets.map(
        (path, i) =>
          `net_virtio_user${i},path=${path},server=1,queue_size=${QUEUE_SIZE}${RING_ARGUMENTS[ring]}`,
      ),
      queueSize: QUEUE_SIZE,
      frameBytes,
      kind,
      cpu: cpus.generator,
      memory: memory.kind,
      memoryMiB: memory.mib,
    }
    super('generator', new URL('./main.js', import.meta.url), start, folder)
  }

  async begin(): Promise<void> {
    await this.channel.ask({ kind: 'begin' }, 'begun')
    this.#last = await this.#totals()
  }

  async rate(): Promise<number> {
    const now = await this.#totals()
    const before = this.#last ?? now
    this.#last = now
    return (1000 * (now.frames - before.frames)) / (now.time - before.time)
  }

  async countCycles(): Promise<void> {
    this.#counted = await this.#totals()
  }

  async cyclesPerFrame(): Promise<number> {
    const now = await this.#totals()
    const before = this.#counted
    if (before === undefined) throw new Error('countCycles comes first')
    const frames = now.frames - before.frames
    return frames === 0 ? 0 : (now.busyCycles - before.busyCycles) / frames
  }

  async #totals(): Promise<LoadTotals> {
    return (await this.channel.ask({ kind: 'totals' }, 'totals')).totals
  }
}
