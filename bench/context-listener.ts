import type { Run, Turn } from './plan.js'
import type { Listener, Results } from './run.js'
import type { Sample } from './sample.js'
import type { Context } from './section.js'

/** Tells the context of a section how far {@link runBench} is. */
export class ContextListener implements Listener {
  readonly #context: Context
  readonly #share: number
  readonly #keep: (results: Results) => void

  /**
   * @param keep - called after each group
   * @param share - of the section's time that these turns take
   */
  constructor(context: Context, keep: (results: Results) => void = () => {}, share = 1) {
    this.#context = context
    this.#keep = keep
    this.#share = share
  }

  turn({ round, run }: Turn, done: number, total: number): void {
    this.#context.progress(`round ${round + 1}: ${wordsOf(run)}`, (this.#share * done) / total)
  }

  measuring(turns: readonly Turn[], done: number, total: number): void {
    const [{ round, run }] = turns as [Turn]
    const names = turns.map(({ contender }) => contender.name).join(', ')
    const what = `round ${round + 1}: ${wordsOf({ ...run, name: names })}`
    this.#context.progress(what, (this.#share * done) / total)
  }

  again({ run }: Turn, error: Error): void {
    this.#context.say(`${run.name} failed and is tried again: ${error.message}`)
  }

  lost({ run }: Turn, error: Error): void {
    this.#context.lose(`${wordsOf(run)}: ${error.message}`)
  }

  sample(_turn: Turn, _sample: Sample): void {}

  sofar(results: Results): void {
    this.#keep(results)
  }
}

function wordsOf({ name, ring, frameBytes, queuePairs, burst }: Run): string {
  const words = [name, `${ring} ring`, `${frameBytes} bytes`]
  if (queuePairs !== undefined) words.push(`queue pairs: ${queuePairs}`)
  if (burst !== undefined) words.push(`bursts of ${burst}`)
  return words.join(', ')
}
