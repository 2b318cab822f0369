/** What a process does at signals and errors. */
export interface SignalActions {
  /** SIGTERM, SIGINT. */
  stop(signal: NodeJS.Signals): void
  /** The second of them. */
  stopNow(signal: NodeJS.Signals): void
  /** SIGHUP. */
  reload(): void
  /** An error that nobody caught. */
  failed(error: unknown): void
  /** What Node.js would print by itself. */
  warned(warning: Error): void
}

/** Listens to signals and errors; returns what ends that. */
export function onSignals({ stop, stopNow, reload, failed, warned }: SignalActions): () => void {
  let stopping = false
  const end = (signal: NodeJS.Signals) => {
    if (stopping) stopNow(signal)
    else stop(signal)
    stopping = true
  }
  process.on('SIGTERM', end).on('SIGINT', end).on('SIGHUP', reload)
  process.on('uncaughtException', failed).on('unhandledRejection', failed)
  process.removeAllListeners('warning').on('warning', warned)
  return () => {
    process.off('SIGTERM', end).off('SIGINT', end).off('SIGHUP', reload)
    process.off('uncaughtException', failed).off('unhandledRejection', failed)
  }
}
