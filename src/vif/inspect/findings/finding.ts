import type { Finding } from '../../../doctor/finding.js'
import type { HostFacts, SwitchPort } from '../facts.js'
import type { GuestEnd, Wire } from '../wires.js'

/** One thing that was found, and of which port. */
export interface VifFinding extends Finding {
  readonly vm?: string | undefined
  readonly port?: string | undefined
  readonly socket?: string | undefined
}

/** Looks one socket over. */
export type WireCheck = (wire: Wire, facts: HostFacts) => VifFinding[]

/** Of whom a finding is, and how that is called in a sentence. */
export function subject(wire: Wire, end?: GuestEnd, port?: SwitchPort) {
  const name = port?.name ?? end?.vif.name
  const of = { vm: end?.vm, port: name, socket: wire.socket }
  return { of, who: [end?.vm, name].filter((part) => part !== undefined).join(' ') }
}

/** Each guest at a socket with each port of a switch there. */
export function pairs({ guests, ports }: Wire): { end: GuestEnd; port: SwitchPort }[] {
  return guests.flatMap((end) => ports.map((port) => ({ end, port })))
}
