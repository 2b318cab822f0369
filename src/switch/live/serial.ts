/** Runs jobs one after the other, in the order they were given. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve()
  #closed: Error | undefined

  /** Rejects as the job does; the next one runs in any case. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      if (this.#closed !== undefined) throw this.#closed
      return job()
    })
    this.#last = result.catch(() => {})
    return result
  }

  /** Refuses what has not begun yet and all that comes; resolves when the job that runs is done. */
  async close(reason: Error): Promise<void> {
    this.#closed = reason
    await this.#last
  }
}
