import type { Turn } from './plan.js'
import type { Listener } from './run.js'
import type { Sample } from './sample.js'
import type { Ring } from './setup.js'
import { StatusLine } from './status-line.js'

/** Says on stderr how far the bench is. */
export class Progress implements Listener {
  readonly #status = new StatusLine()

  turn(turn: Turn, index: number, total: number, secondsLeft: number | undefined): void {
    const where = StatusLine.where(index, total, secondsLeft)
    this.#status.show(`${where} round ${turn.round + 1}: ${turn.run.name}, ${turn.run.ring} ring`)
  }

  again(turn: Turn, error: Error): void {
    this.#status.say(`${turn.run.name} failed and is tried again: ${error.message}`)
  }

  sample(_turn: Turn, { mpps, cyclesPerPacket }: Sample): void {
    const cycles = cyclesPerPacket.toFixed(0)
    this.#status.done(`${mpps.toFixed(2)} Mpps, ${cycles} cycles a frame`)
  }

  boundary(ring: Ring): void {
    this.#status.show(`native-io and ts-io in turns, ${ring} ring`)
    this.#status.done()
  }

  /** Clears the line. */
  end(): void {
    this.#status.end()
  }
}
