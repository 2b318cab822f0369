import { binding, type NativeBurstInHand } from '../native/binding.js'

/** Looks in this time, after all of which the same burst is with the program still. */
const LOOKS = 5

/**
 * Finds a program that does not return from a burst, by looking at what the lcore handed out last. It counts looks and not
 * time: while the whole process is stopped, nobody is late.
 */
export class BurstWatch implements Disposable {
  readonly #timer: NodeJS.Timeout | undefined

  /**
   * @param lcore - index of the lcore; it polls on another thread
   * @param timeoutMs - 0: programs may take as long as they like
   * @param onStuck - called once
   */
  constructor(lcore: number, timeoutMs: number, onStuck: (burst: NativeBurstInHand) => void) {
    if (timeoutMs === 0) return
    let last = -1
    let times = 0
    const look = () => {
      const burst = binding.burstInHand(lcore)
      times = burst !== undefined && burst.number === last ? times + 1 : 0
      last = burst?.number ?? -1
      if (burst === undefined || times < LOOKS || isDebugged()) return
      clearInterval(this.#timer)
      onStuck(burst)
    }
    this.#timer = setInterval(look, timeoutMs / LOOKS).unref()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

/** Whether somebody may be going through the program step by step. Loaded when it matters: it takes a start 3 ms. */
function isDebugged(): boolean {
  return process.getBuiltinModule('node:inspector').url() !== undefined
}
