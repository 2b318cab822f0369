import type { Burst } from '../burst/burst.js'

/** Sends frame `index` to all ready ports except the one it came from. */
export function flood(burst: Burst, index: number): void {
  const { readyPorts, readyCount, inPort } = burst
  let first = true
  for (let i = 0; i < readyCount; i++) {
    const port = readyPorts[i] as number
    if (port === inPort) continue
    if (first) burst.outPort[index] = port
    else burst.copyTo(index, port)
    first = false
  }
}
