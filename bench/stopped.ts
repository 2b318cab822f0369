interface Process {
  readonly pid: number
}

/** Processes get no CPU until they are resumed: nobody takes frames meanwhile, and nobody sends any. */
export function stop(processes: readonly Process[]): void {
  for (const { pid } of processes) send(pid, 'SIGSTOP')
}

export function resume(processes: readonly Process[]): void {
  for (const { pid } of processes) send(pid, 'SIGCONT')
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {} // it has ended, which whoever started it knows better
}
