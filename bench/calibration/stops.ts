import { percent } from '../percent.js'
import type { Stops } from './worker.js'

export function describeStops({ perSecond, share, median, longest }: Stops): string {
  if (perSecond === 0) return "The switch's CPU by itself was never stopped in a second."
  return (
    `The switch's CPU by itself is stopped ${perSecond.toFixed(0)} times a second, mostly for ${median.toFixed(0)} µs, once for ` +
    `${longest.toFixed(0)} µs: ${percent(share)} of the time (calibration loop, before the switch was started).`
  )
}
