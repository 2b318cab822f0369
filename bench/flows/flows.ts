import { buildUdp } from '../../src/headers/build.js'
import { formatIpv4 } from '../../src/headers/ip-address.js'
import { IMIX } from '../../src/testkit/host/traffic-options.js'

/** Frames that go round, each of a flow of its own. */
export const FLOWS = 10_000

/** What tells a flow from the others: UDP over IPv4 with these. */
export interface Flow {
  readonly sourceIp: string
  readonly destinationIp: string
  readonly sourcePort: number
  readonly destinationPort: number
}

/** Random flows, the same each time. Flow `i` enters the switch at its first port if `i` is even, else at the second. */
export function flows(): Flow[] {
  const next = numbers()
  const address = () => formatIpv4((0x0a000000 | (next() & 0xffffff)) >>> 0)
  const port = () => 1 + (next() % 0xffff)
  return Array.from({ length: FLOWS }, () => ({
    sourceIp: address(),
    destinationIp: address(),
    sourcePort: port(),
    destinationPort: port(),
  }))
}

/** Frame of a flow, from one guest to the other. */
export function frameOf(flow: Flow, index: number, frameBytes: number): Uint8Array {
  const macs = ['02:00:00:00:00:0a', '02:00:00:00:00:0b'] as const
  const [source, destination] = index % 2 === 0 ? macs : [macs[1], macs[0]]
  const headers = 14 + 20 + 8
  const payload = new Uint8Array(frameBytes - headers)
  return buildUdp({ source, destination, ...flow, payload })
}

/** Frames of {@link imixFrames}: as many as one round of sizes for each guest allows, and what rings hold in any case. */
const IMIX_FRAMES = 2040

/** Frames of one flow each way, of the sizes of the simple IMIX in turn, the same from both guests. */
export function imixFrames(): Uint8Array[] {
  const [flow] = flows() as [Flow]
  return Array.from({ length: IMIX_FRAMES }, (_, i) => {
    return frameOf(flow, i, IMIX[(i >> 1) % IMIX.length] as number)
  })
}

/** Mean length of the frames of {@link imixFrames}, without FCS: 360. */
export const IMIX_BYTES = Math.round(IMIX.reduce((sum, bytes) => sum + bytes, 0) / IMIX.length)

/** What comes in at one port leaves by the other. */
export function crossRules([a, b]: readonly [string, string]): string[] {
  return [`in_port=${a},actions=output:${b}`, `in_port=${b},actions=output:${a}`]
}

/**
 * An exact rule for each of the first `count` flows, and for the others those of {@link crossRules}, with the lowest
 * priority.
 */
export function exactRules(ports: readonly [string, string], count = 1000): string[] {
  const exact = flows()
    .slice(0, count)
    .map(
      ({ sourceIp, destinationIp, sourcePort, destinationPort }, i) =>
        `priority=10,udp,nw_src=${sourceIp},nw_dst=${destinationIp},tp_src=${sourcePort},` +
        `tp_dst=${destinationPort},actions=output:${ports[i % 2 === 0 ? 1 : 0]}`,
    )
  return [...exact, ...crossRules(ports).map((rule) => `priority=0,${rule}`)]
}

/** Repeatable numbers below 2 to the 32nd. */
export function numbers(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 0x41a7_3ab5) + 0x3c6e_f35f) | 0
    return (state ^ (state >>> 15)) >>> 0
  }
}
