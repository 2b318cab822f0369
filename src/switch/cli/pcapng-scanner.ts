/** A frame of a capture. */
export interface CapturedFrame {
  /** Name of the port. */
  readonly port: string
  readonly direction: 'rx' | 'tx'
  /** Nanoseconds since 1970. */
  readonly time: bigint
  /** What was kept of it. */
  readonly bytes: Buffer
  /** Length of the whole frame. */
  readonly length: number
}

const INTERFACE_DESCRIPTION = 1
const INTERFACE_STATISTICS = 5
const ENHANCED_PACKET = 6

/** Reads the blocks of a capture as the switch writes them, however they are cut into chunks. */
export class PcapngScanner {
  /** Frames gone by. */
  frames = 0
  /** What the last statistics say; undefined: none have come. */
  dropped: bigint | undefined
  received: bigint | undefined
  readonly #onFrame: ((frame: CapturedFrame) => void) | undefined
  readonly #ports: string[] = []
  #rest: Buffer = Buffer.alloc(0)

  /** @param onFrame - told of each frame; without it they are only counted */
  constructor(onFrame?: (frame: CapturedFrame) => void) {
    this.#onFrame = onFrame
  }

  take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (at + 8 <= bytes.length) {
      const length = bytes.readUInt32LE(at + 4)
      if (at + length > bytes.length) break
      this.#block(bytes.readUInt32LE(at), bytes.subarray(at + 8, at + length - 4))
      at += length
    }
    this.#rest = bytes.subarray(at)
  }

  #block(type: number, body: Buffer): void {
    switch (type) {
      case INTERFACE_DESCRIPTION:
        this.#ports.push(optionOf(body, 8, 2)?.toString() ?? '')
        return
      case INTERFACE_STATISTICS:
        this.received = (this.received ?? 0n) + countOf(body, 4)
        this.dropped = (this.dropped ?? 0n) + countOf(body, 5)
        return
      case ENHANCED_PACKET:
        this.frames++
        this.#onFrame?.(this.#frame(body))
        return
    }
  }

  #frame(body: Buffer): CapturedFrame {
    const captured = body.readUInt32LE(12)
    const options = 20 + ((captured + 3) & ~3)
    const flags = optionOf(body, options, 2)?.readUInt32LE(0) ?? 0
    return {
      port: this.#ports[body.readUInt32LE(0)] ?? '',
      direction: (flags & 3) === 2 ? 'tx' : 'rx',
      time: (BigInt(body.readUInt32LE(4)) << 32n) | BigInt(body.readUInt32LE(8)),
      bytes: body.subarray(20, 20 + captured),
      length: body.readUInt32LE(16),
    }
  }
}

/** A count in the statistics of an interface. */
function countOf(body: Buffer, code: number): bigint {
  return optionOf(body, 12, code)?.readBigUInt64LE(0) ?? 0n
}

function optionOf(body: Buffer, from: number, code: number): Buffer | undefined {
  for (let at = from; at + 4 <= body.length; ) {
    const length = body.readUInt16LE(at + 2)
    if (body.readUInt16LE(at) === code) return body.subarray(at + 4, at + 4 + length)
    at += 4 + ((length + 3) & ~3)
  }
  return undefined
}
