import type { Burst } from '../../burst/burst.js'
import type { FlowEntry } from './entry.js'

/** More than any frame has. */
const MOST = 65536

/** A copy of a frame, on its way to the controller. The object is used again for the next. */
export class PacketIn {
  /** Room for bytes of the frame: the first {@link length} of them count. */
  readonly bytes = new Uint8Array(MOST)
  /** Bytes that were copied: the frame's, or fewer if the rule wants fewer. */
  length = 0
  /** Bytes of the frame. */
  totalLength = 0
  /** Port id it came from. */
  inPort = 0
  /** Table of the rule that sent it. */
  table = 0
  /** Cookie of that rule. */
  cookie = 0n

  /** @internal */
  take(burst: Burst, index: number, { table, cookie }: FlowEntry, maxLength: number): this {
    const from = burst.offset[index] as number
    this.totalLength = burst.length[index] as number
    this.length = Math.min(this.totalLength, maxLength, MOST)
    for (let i = 0; i < this.length; i++) this.bytes[i] = burst.bytes[from + i] as number
    this.inPort = burst.inPort
    this.table = table
    this.cookie = cookie
    return this
  }
}
