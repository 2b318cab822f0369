import { readdirSync, readFileSync } from 'node:fs'

/** How long the polling thread of a process could have run but was not let. */
export class PollingThread {
  readonly #schedstat: string
  #last: number

  /**
   * @param cpu - where it is pinned; the thread of the process that is bound to this CPU alone and
   * has used it most is the one that polls
   */
  constructor(pid: number, cpu: number) {
    const tasks = `/proc/${pid}/task`
    const pinned = readdirSync(tasks)
      .map((tid) => `${tasks}/${tid}`)
      .filter((task) => read(`${task}/status`).includes(`\nCpus_allowed_list:\t${cpu}\n`))
      .sort((a, b) => numbers(`${b}/schedstat`)[0] - numbers(`${a}/schedstat`)[0])
    if (pinned[0] === undefined) {
      throw new Error(`process ${pid} has no thread that is bound to CPU ${cpu} alone`)
    }
    this.#schedstat = `${pinned[0]}/schedstat`
    this.#last = this.#waited()
  }

  /** Milliseconds it waited for its CPU since it was last asked. */
  lost(): number {
    const now = this.#waited()
    const lost = now - this.#last
    this.#last = now
    return lost
  }

  #waited(): number {
    return numbers(this.#schedstat)[1] / 1e6
  }
}

/** Nanoseconds on a CPU, nanoseconds waiting for one. */
function numbers(schedstat: string): [number, number] {
  const [ran = 0, waited = 0] = read(schedstat).split(' ').map(Number)
  return [ran, waited]
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // the thread has ended, or the kernel keeps no such figures
  }
}
