import type { WireResult } from './wire-demo.js'

/** What the demo measured. */
export interface DemoResult {
  readonly pings: { readonly sent: number; readonly answered: number }
  /** Frames switched while rates were shown. */
  readonly frames: number
  /** Million frames a second. */
  readonly mpps: number
  /** From the start of the second switch process to the first frame it brought, in the slower direction. */
  readonly resumeMs: number
  /** Frames that were due and never came. */
  readonly lost: number
  /** With virtual machines: what tcpdump in a guest saw of frames from a wire. */
  readonly tcpdump?: WireResult
}

/** Why a result is not what the demo is to show, if so. */
export function shortcoming(result: DemoResult): string | undefined {
  const { sent, answered } = result.pings
  if (answered < sent) return `${sent - answered} of ${sent} pings were not answered`
  if (result.frames === 0) return 'the switch forwarded nothing while its rates were shown'
  return undefined
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
