import type { Turn } from './plan.js'
import type { Listener } from './run.js'
import type { Sample } from './sample.js'
import type { Ring } from './setup.js'

/** Says on stderr how far the bench is: one line that changes on a terminal, a line a sample elsewhere. */
export class Progress implements Listener {
  #line = ''

  turn(turn: Turn, index: number, total: number, secondsLeft: number | undefined): void {
    const left = secondsLeft === undefined ? '' : `, ${duration(secondsLeft)} left`
    this.#line = `[${index + 1}/${total}${left}] round ${turn.round + 1}: ${turn.run.name}, ${turn.run.ring} ring`
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${this.#line}`)
  }

  again(turn: Turn, error: Error): void {
    this.end()
    process.stderr.write(`${turn.run.name} failed and is tried again: ${error.message}\n`)
  }

  sample(_turn: Turn, { mpps, cyclesPerPacket }: Sample): void {
    if (process.stderr.isTTY) return
    const cycles = cyclesPerPacket.toFixed(0)
    process.stderr.write(`${this.#line}: ${mpps.toFixed(2)} Mpps, ${cycles} cycles a frame\n`)
  }

  boundary(ring: Ring): void {
    const line = `native-io and ts-io in turns, ${ring} ring`
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`)
  }

  /** Clears the line. */
  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
}

function duration(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
