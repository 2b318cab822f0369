import type { Burst } from '../../burst/burst.js'
import { ABSENT } from '../../headers/absent.js'
import * as arp from '../../headers/arp.js'
import { buildArpRequest, buildEcho } from '../../headers/build.js'
import { EtherType } from '../../headers/ethernet.js'
import { Headers } from '../../headers/headers.js'
import * as icmp from '../../headers/icmp.js'
import * as icmpv6 from '../../headers/icmpv6.js'
import { formatIpv4, formatIpv6 } from '../../headers/ip-address.js'
import { Protocol } from '../../headers/ipv4.js'
import { verifyTransportChecksum } from '../../headers/transport-checksum.js'
import { buildSolicitation } from './neighbour-discovery.js'
import type { PingResult } from './reports.js'

/** Who to ping, and how. */
export interface PingOrder {
  readonly address: string
  readonly source: string
  readonly count: number
  readonly intervalMs: number
  readonly timeoutMs: number
  /** Bytes of payload. */
  readonly size: number
}

interface Ping {
  readonly identifier: number
  readonly payload: Uint8Array
  readonly sentAt: (number | undefined)[]
  readonly rtts: number[]
  answered(): void
}

/** Time after which an unanswered question for a MAC address is asked again. */
const ASK_AGAIN_MS = 200

/** Sends pings one after the other, resolving the address first, and takes the answers. */
export class Pinger {
  readonly #mac: number
  readonly #send: (frame: Uint8Array) => void
  readonly #headers = new Headers()
  readonly #pings = new Map<number, Ping>()
  readonly #neighbours = new Map<string, number>()
  readonly #asking = new Map<string, () => void>()
  #nextIdentifier = 1 + Math.floor(Math.random() * 0x7fff)

  /** @param send - puts a frame into the next burst */
  constructor(mac: number, send: (frame: Uint8Array) => void) {
    this.#mac = mac
    this.#send = send
  }

  async ping(order: PingOrder): Promise<PingResult> {
    const identifier = this.#nextIdentifier
    this.#nextIdentifier = (identifier % 0xffff) + 1
    const payload = Uint8Array.from({ length: order.size }, (_, i) => (i + identifier) & 0xff)
    let wake = () => {}
    const ping: Ping = { identifier, payload, sentAt: [], rtts: [], answered: () => wake() }
    this.#pings.set(identifier, ping)
    const answeredOr = (ms: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    try {
      for (let sequence = 0; sequence < order.count; sequence++) {
        const started = performance.now()
        const deadline = started + order.timeoutMs
        if (!(await this.#resolve(order, deadline))) {
          // As with a host unreachable: it counts as sent and was not answered.
          ping.sentAt.push(undefined)
          continue
        }
        this.#sendEcho(order, ping, sequence)
        while (ping.sentAt[sequence] !== undefined && performance.now() < deadline) {
          await answeredOr(deadline - performance.now())
        }
        const pause = started + order.intervalMs - performance.now()
        if (pause > 0 && sequence + 1 < order.count) {
          await new Promise((resolve) => setTimeout(resolve, pause))
        }
      }
    } finally {
      this.#pings.delete(identifier)
    }
    return summary(order.count, ping.rtts)
  }

  /** Takes frame `index` if it answers a question of ours. */
  take(burst: Burst, index: number): boolean {
    const headers = this.#headers
    if (!headers.parse(burst, index)) return false
    const { view } = burst
    if (headers.etherType === EtherType.arp) {
      if (arp.operation(view, headers.l3) !== arp.Operation.reply) return false
      const address = formatIpv4(arp.senderIpv4(view, headers.l3))
      return this.#found(address, arp.senderMac(view, headers.l3))
    }
    if (headers.l4 === ABSENT || !verifyTransportChecksum(view, headers)) return false
    if (headers.protocol === Protocol.icmp) {
      return view.getUint16(headers.l4) === icmp.Type.echoReply << 8 && this.#takeEcho(burst)
    }
    if (headers.protocol !== Protocol.icmpv6) return false
    const type = icmpv6.type(view, headers.l4)
    if (type === icmpv6.Type.echoReply) return this.#takeEcho(burst)
    return type === icmpv6.Type.neighbourAdvertisement && this.#takeAdvertisement(burst)
  }

  #takeAdvertisement({ view, bytes }: Burst): boolean {
    const { l4, end } = this.#headers
    const target = icmpv6.neighbourTarget(view, l4, end)
    const option = icmpv6.option(view, l4, end, icmpv6.Option.targetLinkLayerAddress)
    if (target === ABSENT || option === ABSENT) return false
    return this.#found(formatIpv6(bytes, target), icmpv6.optionMac(view, option))
  }

  #takeEcho({ view, bytes }: Burst): boolean {
    const { l4, payload, end } = this.#headers
    const ping = this.#pings.get(icmp.identifier(view, l4))
    if (ping === undefined) return false
    const sequence = icmp.sequence(view, l4)
    const sentAt = ping.sentAt[sequence]
    const same =
      end - payload === ping.payload.length &&
      ping.payload.every((byte, i) => byte === bytes[payload + i])
    if (sentAt === undefined || !same) return true
    ping.sentAt[sequence] = undefined
    ping.rtts.push(performance.now() - sentAt)
    ping.answered()
    return true
  }

  #sendEcho(order: PingOrder, ping: Ping, sequence: number): void {
    const frame = buildEcho({
      source: this.#mac,
      destination: this.#neighbours.get(order.address) as number,
      sourceIp: order.source,
      destinationIp: order.address,
      identifier: ping.identifier,
      sequence,
      payload: ping.payload,
    })
    ping.sentAt[sequence] = performance.now()
    this.#send(frame)
  }

  /** Whether the MAC address is known or was told in time. */
  async #resolve({ address, source }: PingOrder, deadline: number): Promise<boolean> {
    while (!this.#neighbours.has(address)) {
      const left = deadline - performance.now()
      if (left <= 0) return false
      const question = address.includes(':')
        ? buildSolicitation(this.#mac, source, address)
        : buildArpRequest({ senderMac: this.#mac, senderIp: source, targetIp: address })
      this.#send(question)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, ASK_AGAIN_MS))
        this.#asking.set(address, () => {
          clearTimeout(timer)
          resolve()
        })
      })
      this.#asking.delete(address)
    }
    return true
  }

  #found(address: string, mac: number): boolean {
    this.#neighbours.set(address, mac)
    this.#asking.get(address)?.()
    return true
  }
}

function summary(sent: number, rtts: number[]): PingResult {
  const sorted = rtts.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN
  return {
    sent,
    received: sorted.length,
    rttMs: { min: at(0), median: at(0.5), max: at(1) },
  }
}
