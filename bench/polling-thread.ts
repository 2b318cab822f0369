import { readdirSync, readFileSync } from 'node:fs'
import { schedstat } from './schedstat.js'

/** How long the polling thread of a process could have run but was not let. */
export class PollingThread {
  readonly #task: string
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
      .sort((a, b) => times(b)[0] - times(a)[0])
    if (pinned[0] === undefined) {
      throw new Error(`process ${pid} has no thread that is bound to CPU ${cpu} alone`)
    }
    this.#task = pinned[0]
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
    return times(this.#task)[1] / 1e6
  }
}

/** None where there is nothing to be told. */
function times(task: string): [ran: number, waited: number] {
  try {
    return schedstat(task)
  } catch {
    return [0, 0]
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // the thread has ended
  }
}
