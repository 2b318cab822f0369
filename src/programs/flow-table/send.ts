/**
 * How frames leave: what actions that output do to a burst.
 *
 * @packageDocumentation
 */
import { type Burst, DROP } from '../../burst/burst.js'
import type { Members } from './members.js'

/** Sends frame `index` to `port`, after all that it is sent to already. */
export function sendTo(burst: Burst, index: number, port: number): void {
  if (burst.outPort[index] === DROP) burst.outPort[index] = port
  else burst.copyTo(index, port)
}

/** The same for the action `output`: not to the port the frame came from, and not to a port that is not there (-1). */
export function output(burst: Burst, index: number, port: number): void {
  if (port !== burst.inPort && port >= 0) sendTo(burst, index, port)
}

/** To all ready members except the one it came from. */
export function outputAll(burst: Burst, index: number, members: Members): void {
  const { ready, readyCount } = members
  for (let i = 0; i < readyCount; i++) output(burst, index, ready[i] as number)
}

/** What a flow table needs besides the burst. */
export interface Surroundings {
  /** The ports it can send to. */
  readonly members: Members
  /** Hands a frame to the switch behind the action `normal`, with the bytes it has when the burst ends. */
  normal(burst: Burst, index: number): void
  /** Hands a copy of a frame to the controller. */
  packetIn(burst: Burst, index: number, rule: number, maxLength: number): void
  /** Whether a frame of `bytes` may pass a meter. */
  meter(id: number, bytes: number): boolean
}
