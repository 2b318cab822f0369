import type { Screen } from './screen.js'
import type { SwitchProcess } from './switch-process.js'
import type { SwitchCounters } from './switch-report.js'

const BARS = '▁▂▃▄▅▆▇█'
const HISTORY = 60

/** What a switch did between two moments. */
export interface Rates {
  readonly frames: number
  readonly mpps: number
  readonly gbps: number
  readonly cyclesPerFrame: number
  readonly drops: number
}

export function ratesBetween(before: SwitchCounters, after: SwitchCounters): Rates {
  const seconds = (after.at - before.at) / 1000
  const received = after.rxFrames - before.rxFrames
  const frames = after.txFrames - before.txFrames
  return {
    frames,
    mpps: seconds > 0 ? frames / seconds / 1e6 : 0,
    gbps: seconds > 0 ? ((after.rxBytes - before.rxBytes) * 8) / seconds / 1e9 : 0,
    cyclesPerFrame: received > 0 ? (after.busyCycles - before.busyCycles) / received : 0,
    drops: after.drops - before.drops,
  }
}

/**
 * Shows what a switch does until `until` settles.
 *
 * @returns the rates over the whole time
 */
export async function showRates(
  screen: Screen,
  what: string,
  sw: SwitchProcess,
  until: Promise<unknown>,
  signal: AbortSignal,
): Promise<Rates> {
  const first = await sw.freshCounters(signal)
  let last = first
  let shown = first
  let over = false
  const end = () => {
    over = true
  }
  until.then(end, end)
  const history: number[] = []
  for (;;) {
    const now = await sw.freshCounters(signal)
    if (over) break
    last = now
    if (now.at - shown.at < screen.intervalMs - 20) continue
    const rates = ratesBetween(shown, now)
    shown = now
    history.push(rates.mpps)
    screen.live(rateLine(what, rates), `  ${sparkline(history.slice(-HISTORY))}`)
  }
  const total = ratesBetween(first, last)
  screen.line(`${rateLine(what, total)}  ${screen.dim('mean')}`)
  return total
}

function rateLine(what: string, { mpps, gbps, cyclesPerFrame, drops }: Rates): string {
  return [
    `  ${what.padEnd(10)}`,
    `${mpps.toFixed(mpps < 0.1 ? 4 : 2).padStart(6)} Mframes/s`,
    `${gbps.toFixed(2).padStart(5)} Gbit/s`,
    `${cyclesPerFrame.toFixed(0).padStart(5)} cycles/frame`,
    `${drops} dropped`,
  ].join(' ')
}

function sparkline(values: readonly number[]): string {
  const most = Math.max(...values, 1e-9)
  return values
    .map((value) => BARS[Math.min(BARS.length - 1, Math.floor((value / most) * BARS.length))])
    .join('')
}
