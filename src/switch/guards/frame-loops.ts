/**
 * What guards ask of every frame of a burst, in few instructions.
 *
 * The arrays of an lcore's burst stay the same for as long as it lives. As constants of closures that are made once, V8 builds
 * their places and lengths into the code; as fields of an object that is passed, their types, lengths and places would be
 * looked at for each frame.
 *
 * @packageDocumentation
 */
import { type Burst, MAX_FRAMES as MOST } from 'dpdk-vhost/programs/program'

// A constant of this module, because V8 does not make one of an import.
const MAX_FRAMES = MOST

/** Bytes of the Ethernet header, which policers do not count; as in OVS. */
const ETHERNET = 14

const SOURCE_MAC = 6
const IPV4_SOURCE = 26
const IPV6_SOURCE = 22

/** Places of UDP and TCP behind either header. */
const AFTER_IPV4 = 34
const AFTER_IPV6 = 54

/** Version 4 and a header of 20 bytes. */
const VERSION_AND_LENGTH = 0x45
/** Of the word at 20, as it is in memory: the bits that mark a fragment, and the protocol. */
const FRAGMENT_AND_PROTOCOL = 0xff00_ff3f | 0
const TCP = 6
const UDP = 17
/** These as the word has them. */
const TCP_ALONE = TCP << 24
const UDP_ALONE = UDP << 24
/** UDP ports of clients, which servers of DHCP send to. */
export const DHCP_CLIENT = 68
export const DHCPV6_CLIENT = 546

/** What is needed of a burst. */
export type Frames = Pick<Burst, 'view' | 'offset' | 'length' | 'outPort'>

/**
 * A source of plain frames, as words that are loaded as they are in memory.
 *
 * | words | |
 * |---|---|
 * | 0, 1 | octets 0 to 3 of the MAC address, 4 and 5 with the EtherType |
 * | 2 | IPv4 address |
 * | 3 | its mask |
 * | 2 to 5 | or IPv6 address |
 * | 6 to 9 | its mask |
 */
export type PlainSource = Int32Array

/** Frames one after the other that go to the same port. */
export interface Run {
  port: number
  /** Bytes as policers count them. */
  payload: number
}

/** The loops over the frames of one lcore. */
export type FrameLoops = ReturnType<typeof newLoops>

/** Bytes of a frame as policers count them; of one without a whole Ethernet header none. `| 0`, because V8 would count on with fractions. */
export function payloadOf(bytes: number): number {
  const payload = (bytes | 0) - ETHERNET
  return payload < 0 ? 0 : payload
}

const made = new WeakMap<Frames, FrameLoops>()

/** The loops over the frames of a burst. Made once for all bridges of an lcore: V8 knows no constants of closures made twice. */
export function frameLoops(burst: Frames): FrameLoops {
  const before = made.get(burst)
  if (before !== undefined) return before
  const loops = newLoops(burst)
  made.set(burst, loops)
  return loops
}

function newLoops({ view, offset, length, outPort }: Frames) {
  const run: Run = { port: 0, payload: 0 }
  // V8 adds to such without looking for an overflow. Frames beyond 2 GiB, below 0 here, are seen to one by one.
  const places = new Int32Array(offset.buffer, offset.byteOffset, offset.length)

  // V8 would look at `i + 1` for an overflow, and so `| 0`.
  const next = (i: number): number => (i + 1) | 0

  /** Bytes of these frames as policers count them. Four at a time: V8 asks in every turn of a loop whether it is to stop. */
  const payloadOfAll = (from: number, end: number): number => {
    const stop = Math.min(end | 0, MAX_FRAMES)
    let i = from | 0
    let bytes = 0
    let signs = 0
    for (const last = stop - 3; i < last; i = (i + 4) | 0) {
      const a = ((length[i] as number) - ETHERNET) | 0
      const b = ((length[(i + 1) | 0] as number) - ETHERNET) | 0
      const c = ((length[(i + 2) | 0] as number) - ETHERNET) | 0
      const d = ((length[(i + 3) | 0] as number) - ETHERNET) | 0
      bytes = (bytes + a + b + c + d) | 0
      signs |= a | b | c | d
    }
    for (; i < stop; i = next(i)) {
      const payload = ((length[i] as number) - ETHERNET) | 0
      bytes = (bytes + payload) | 0
      signs |= payload
    }
    return signs < 0 ? payloadOfShort(from, stop) : bytes
  }

  /** The same where there are frames without a whole header. */
  const payloadOfShort = (from: number, end: number): number => {
    let bytes = 0
    for (let i = from; i < end; i++) bytes += payloadOf(length[i] as number)
    return bytes
  }

  /** Index behind the frames from `from` on that go to the same port: those that `run` tells of then. */
  const endOfRun = (from: number, end: number): number => {
    const stop = Math.min(end | 0, MAX_FRAMES)
    const port = outPort[from] as number
    let i = from | 0
    let bytes = 0
    let signs = 0
    for (const last = stop - 3; i < last; i = (i + 4) | 0) {
      const others =
        ((outPort[i] as number) ^ port) |
        ((outPort[(i + 1) | 0] as number) ^ port) |
        ((outPort[(i + 2) | 0] as number) ^ port) |
        ((outPort[(i + 3) | 0] as number) ^ port)
      if (others !== 0) break
      const a = ((length[i] as number) - ETHERNET) | 0
      const b = ((length[(i + 1) | 0] as number) - ETHERNET) | 0
      const c = ((length[(i + 2) | 0] as number) - ETHERNET) | 0
      const d = ((length[(i + 3) | 0] as number) - ETHERNET) | 0
      bytes = (bytes + a + b + c + d) | 0
      signs |= a | b | c | d
    }
    for (; i < stop && outPort[i] === port; i = next(i)) {
      const payload = ((length[i] as number) - ETHERNET) | 0
      bytes = (bytes + payload) | 0
      signs |= payload
    }
    run.port = port
    run.payload = signs < 0 ? payloadOfShort(from, i) : bytes
    return i
  }

  /** Index of the first frame from `from` on, up to `end`, that is not a plain one over IPv4 from this source. */
  const endOfIpv4 = (source: PlainSource, from: number, end: number): number => {
    const mac = source[0] as number
    const macAndType = source[1] as number
    const address = source[2] as number
    const mask = source[3] as number
    const stop = Math.min(end | 0, MAX_FRAMES)
    let i = from | 0
    for (; i < stop; i = next(i)) {
      const at = places[i] as number
      if (at < 0) break
      const lengths = view.getInt32(at + 14)
      // One branch for all that is to be equal: there are more of them than a CPU does in time.
      const difference =
        (view.getInt32(at + SOURCE_MAC, true) ^ mac) |
        (view.getInt32(at + SOURCE_MAC + 4, true) ^ macAndType) |
        ((view.getInt32(at + IPV4_SOURCE, true) & mask) ^ address) |
        ((lengths >>> 24) ^ VERSION_AND_LENGTH)
      if (difference !== 0) break
      const whole = lengths & 0xffff
      const payload = whole - 20
      const room = ((length[i] as number) - ETHERNET - whole) | 0
      const kind = view.getInt32(at + 20, true) & FRAGMENT_AND_PROTOCOL
      if (kind === UDP_ALONE) {
        if (!isUdp(at + AFTER_IPV4, payload, room, DHCP_CLIENT)) break
      } else if (kind !== TCP_ALONE || !isTcp(at + AFTER_IPV4, payload, room)) {
        break
      }
    }
    return i
  }

  /** The same over IPv6. */
  const endOfIpv6 = (source: PlainSource, from: number, end: number): number => {
    const mac = source[0] as number
    const macAndType = source[1] as number
    const stop = Math.min(end | 0, MAX_FRAMES)
    let i = from | 0
    for (; i < stop; i = next(i)) {
      const at = places[i] as number
      if (at < 0) break
      const lengths = view.getInt32(at + 18)
      const difference =
        (view.getInt32(at + SOURCE_MAC, true) ^ mac) |
        (view.getInt32(at + SOURCE_MAC + 4, true) ^ macAndType) |
        otherWord(source, at, 0) |
        otherWord(source, at, 1) |
        otherWord(source, at, 2) |
        otherWord(source, at, 3) |
        ((view.getUint8(at + 14) >>> 4) ^ 6)
      if (difference !== 0) break
      const payload = lengths >>> 16
      const room = ((length[i] as number) - AFTER_IPV6 - payload) | 0
      const kind = (lengths >>> 8) & 0xff
      if (kind === UDP) {
        if (!isUdp(at + AFTER_IPV6, payload, room, DHCPV6_CLIENT)) break
      } else if (kind !== TCP || !isTcp(at + AFTER_IPV6, payload, room)) {
        break
      }
    }
    return i
  }

  /** Bits of a word of the IPv6 source of a frame that are not as they are to be. */
  const otherWord = (source: PlainSource, at: number, word: number): number =>
    (view.getInt32(at + IPV6_SOURCE + 4 * word, true) & (source[6 + word] as number)) ^
    (source[2 + word] as number)

  /** Whether a whole UDP header is at `at`, not to the port of clients, and `room` is not below 0. */
  const isUdp = (at: number, bytes: number, room: number, client: number): boolean => {
    const portAndLength = view.getInt32(at + 2)
    const length = portAndLength & 0xffff
    return portAndLength >>> 16 !== client && (room | (length - 8) | (bytes - length)) >= 0
  }

  const isTcp = (at: number, bytes: number, room: number): boolean => {
    const header = (view.getUint8(at + 12) >>> 4) << 2
    return (room | (header - 20) | (bytes - header)) >= 0
  }

  return { run, payloadOfAll, endOfRun, endOfIpv4, endOfIpv6 }
}
