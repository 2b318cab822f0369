import type { Axis } from '../section.js'
import { short } from '../text-report.js'

/** Where numbers are on an axis. */
export interface Scale {
  /** 0 at the axis' beginning, 1 at its end. */
  at(value: number): number
  readonly ticks: readonly Tick[]
}

export interface Tick {
  readonly value: number
  readonly text: string
}

/**
 * An axis that has room for all values.
 *
 * @param kind - a value that is on no logarithmic axis, such as 0, is at its beginning
 * @param fromZero - whether a linear axis begins at 0
 */
export function scaleFor(kind: Axis['scale'], values: readonly number[], fromZero: boolean): Scale {
  const finite = values.filter(Number.isFinite)
  if (kind === 'log') return logScale(finite.filter((value) => value > 0))
  if (kind === 'percentile') return percentileScale(finite)
  return linearScale(finite, fromZero)
}

/** About that many ticks. */
const TICKS = 5

function linearScale(values: readonly number[], fromZero: boolean): Scale {
  const least = Math.min(...values, ...(fromZero || values.length === 0 ? [0] : []))
  const most = Math.max(...values, ...(values.length === 0 ? [1] : []))
  const step = niceStep((most - least || Math.abs(most) || 1) / TICKS)
  const first = Math.floor(least / step + 1e-9)
  const last = Math.max(first + 1, Math.ceil(most / step - 1e-9))
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => tick((first + i) * step))
  return { at: (value) => (value / step - first) / (last - first), ticks }
}

/** The least of 1, 2, 5 times a power of ten that is not below. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return ([1, 2, 5, 10].find((times) => times * power >= least * (1 - 1e-9)) as number) * power
}

function logScale(values: readonly number[]): Scale {
  const [least, most] = values.length === 0 ? [1, 10] : [Math.min(...values), Math.max(...values)]
  // Room for marks at both ends; more where all values are the same.
  const room = most > least * 1.01 ? (most / least) ** 0.04 : 2
  const [low, high] = [least / room, most * room]
  const steps = [[1], [1, 3], [1, 2, 5]].find((some) => logTicks(low, high, some).length >= 3)
  const ticks = logTicks(low, high, steps ?? [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9])
  return {
    at: (value) => Math.max(0, Math.log(value / low) / Math.log(high / low)),
    ticks: thinned(ticks).map(tick),
  }
}

function logTicks(low: number, high: number, steps: readonly number[]): number[] {
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    ticks.push(...steps.map((step) => step * 10 ** power))
  }
  return ticks.filter((value) => value >= low && value <= high)
}

/** Every second of them, or fewer, where there are too many. */
function thinned(ticks: readonly number[]): readonly number[] {
  const every = Math.ceil(ticks.length / 8)
  return ticks.filter((_, i) => i % every === 0)
}

/** 0, 90, 99, 99.9 and so on are equally far apart. What is 100 is where the last of the others' decade ends. */
function percentileScale(values: readonly number[]): Scale {
  const nines = values.filter((value) => value < 100).map((value) => -Math.log10(1 - value / 100))
  const last = Math.max(1, Math.ceil(Math.max(...nines, 1) - 1e-9))
  const ticks = [50]
  for (let nine = 1; nine <= last; nine++)
    ticks.push(Number((100 - 10 ** (2 - nine)).toFixed(nine)))
  return {
    at: (value) => (value >= 100 ? 1 : -Math.log10(1 - value / 100) / last),
    ticks: [0, ...ticks].map((value) => ({ value, text: String(value) })),
  }
}

function tick(value: number): Tick {
  const exact = Number(value.toPrecision(12))
  return { value: exact, text: withPrefix(exact) }
}

/** `20000` as `20k`. */
function withPrefix(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e9) return `${short(value / 1e9)}G`
  if (size >= 1e6) return `${short(value / 1e6)}M`
  if (size >= 1e4) return `${short(value / 1e3)}k`
  return String(value)
}
