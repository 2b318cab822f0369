/**
 * Blocks of pcapng (draft-ietf-opsawg-pcapng), little-endian: all but those of packets, which lcores write (`ring.ts`).
 *
 * @packageDocumentation
 */

export const BlockType = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  interfaceStatistics: 5,
  enhancedPacket: 6,
} as const

const ETHERNET = 1
const BYTE_ORDER_MAGIC = 0x1a2b3c4d

/** A point in time in nanoseconds since 1970, as pcapng splits it. */
export interface Stamp {
  /** Upper 32 bits. */
  readonly high: number
  /** Lower 32 bits. */
  readonly low: number
}

/** Below 0: `one` is earlier than `other`. */
export function compareStamps(one: Stamp, other: Stamp): number {
  return one.high - other.high || one.low - other.low
}

/** Counters of one interface. */
export interface InterfaceCounters {
  /** Frames that passed it in the directions captured, wanted or not. */
  readonly received: number
  /** Those of them that the filter wants. */
  readonly matched: number
  /** Those of them that were lost to the capture, because its reader was too slow. */
  readonly dropped: number
  /** Those of them that the reader got. */
  readonly delivered: number
}

/** The block a capture begins with. @param application - what made it */
export function sectionHeader(application: string): Buffer {
  const fixed = Buffer.alloc(16)
  fixed.writeUInt32LE(BYTE_ORDER_MAGIC, 0)
  fixed.writeUInt16LE(1, 4)
  // Its length is not known.
  fixed.writeBigInt64LE(-1n, 8)
  const options = [option(3, Buffer.from(process.platform)), option(4, Buffer.from(application))]
  return block(BlockType.sectionHeader, fixed, options)
}

/** An Ethernet interface; the first has number 0. Its stamps are nanoseconds. */
export function interfaceDescription(
  name: string,
  snaplen: number,
  filter: string | undefined,
): Buffer {
  const fixed = Buffer.alloc(8)
  fixed.writeUInt16LE(ETHERNET, 0)
  fixed.writeUInt32LE(snaplen, 4)
  const options = [option(2, Buffer.from(name)), option(9, Buffer.of(9))]
  if (filter !== undefined) options.push(option(11, Buffer.from(`\0${filter}`)))
  return block(BlockType.interfaceDescription, fixed, options)
}

/** What was counted between two times. */
export function interfaceStatistics(
  id: number,
  counters: InterfaceCounters,
  start: Stamp,
  end: Stamp,
): Buffer {
  const fixed = Buffer.concat([word(id), stamp(end)])
  const count = (value: number) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(value))
    return bytes
  }
  return block(BlockType.interfaceStatistics, fixed, [
    option(2, stamp(start)),
    option(3, stamp(end)),
    option(4, count(counters.received)),
    option(5, count(counters.dropped)),
    option(6, count(counters.matched)),
    option(8, count(counters.delivered)),
  ])
}

function block(type: number, fixed: Buffer, options: readonly Buffer[]): Buffer {
  const body = Buffer.concat([fixed, ...options, option(0, Buffer.alloc(0))])
  const length = word(body.length + 12)
  return Buffer.concat([word(type), length, body, length])
}

/** Padded to whole words; option 0 ends the list. */
function option(code: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + ((value.length + 3) & ~3))
  bytes.writeUInt16LE(code, 0)
  bytes.writeUInt16LE(value.length, 2)
  value.copy(bytes, 4)
  return bytes
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function stamp({ high, low }: Stamp): Buffer {
  return Buffer.concat([word(high), word(low)])
}
