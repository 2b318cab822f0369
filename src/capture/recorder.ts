import { type Burst, MAX_PORTS } from '../burst/burst.js'
import type { PortDirectory, Program } from '../programs/program.js'
import { compileBpf, type FrameFilter } from './bpf.js'
import { ClockReader } from './clock.js'
import type { CaptureImage } from './image.js'
import { Direction, MAX_INTERFACES, type Packets, type RingMemory, RingWriter } from './ring.js'

/** No interface of the capture. */
const NONE = -1

/**
 * The captures of one lcore. A program around it copies what it receives and sends for those who watch; without
 * captures there is nothing around it:
 *
 * ```ts
 * recorder.configure(images, ports) // between two bursts, whenever captures begin or end
 * this.#decide = recorder.active ? recorder.around(program) : program
 * ```
 */
export class Recorder {
  readonly #lcore: number
  #tracks: readonly Track[] = []
  #burst: Burst | undefined
  #packets: Packets | undefined
  readonly #onFlush = (burst: Burst) => this.#recordCopies(burst)

  /** @param lcore - its index, `ProgramContext.lcore` */
  constructor(lcore: number) {
    this.#lcore = lcore
  }

  /** Whether anything is captured. */
  get active(): boolean {
    return this.#tracks.length > 0
  }

  /** Whether what a port receives, or what goes to any port, is captured. */
  isNeeded(port: number): boolean {
    return this.#tracks.some(({ rx, sends }) => sends || rx[port] !== NONE)
  }

  /**
   * Puts these captures in place of those before. Those that stay lose nothing.
   *
   * @throws ConfigError for a filter that is none
   */
  configure(images: readonly CaptureImage[], ports: PortDirectory): void {
    const before = new Map(this.#tracks.map((track) => [track.id, track]))
    this.#tracks = images.map((image) => {
      const track = before.get(image.id) ?? new Track(image, this.#lcore)
      track.configure(image, ports)
      return track
    })
    if (!this.active && this.#burst !== undefined) this.#burst.onFlush = undefined
  }

  /** Ports have come or gone. */
  portsChanged(ports: PortDirectory): void {
    for (const track of this.#tracks) track.portsChanged(ports)
  }

  /** The program, and what is captured around it. */
  around<T extends Pick<Program, 'burst'>>(program: T): Pick<Program, 'burst'> {
    return {
      burst: (burst) => {
        this.received(burst)
        program.burst(burst)
        this.sent(burst)
      },
    }
  }

  /** Before a burst is decided, and before a turn without frames. */
  received(burst: Burst): void {
    this.#adopt(burst)
    const { inPort, count } = burst
    const packets = this.#packets as Packets
    for (const track of this.#tracks) {
      const id = track.rx[inPort] as number
      if (id === NONE || count === 0) continue
      track.begin(burst)
      for (let i = 0; i < count; i++) track.record(burst, packets, i, id, Direction.inbound)
      track.end()
    }
  }

  /** Once all verdicts are final. */
  sent(burst: Burst): void {
    this.#adopt(burst)
    const packets = this.#packets as Packets
    const { outPort, total, isReady } = burst
    for (const track of this.#tracks) {
      if (!track.sends) continue
      track.begin(burst)
      for (let i = 0; i < total; i++) {
        const port = outPort[i] as number
        if (port < 0 || isReady[port] !== 1) continue
        const id = track.tx[port] as number
        if (id !== NONE) track.record(burst, packets, i, id, Direction.outbound)
      }
      track.end()
    }
    this.#recordCopies(burst)
  }

  #recordCopies(burst: Burst): void {
    const packets = this.#packets as Packets
    const { copyFrame, copyPort, copyCount, total, isReady } = burst
    if (copyCount === 0) return
    for (const track of this.#tracks) {
      if (!track.sends) continue
      track.begin(burst)
      for (let i = 0; i < copyCount; i++) {
        const port = copyPort[i] as number
        const frame = copyFrame[i] as number
        if (port < 0 || isReady[port] !== 1 || frame >= total) continue
        const id = track.tx[port] as number
        if (id !== NONE) track.record(burst, packets, frame, id, Direction.outbound)
      }
      track.end()
    }
  }

  #adopt(burst: Burst): void {
    burst.onFlush = this.#onFlush
    if (this.#burst === burst) return
    const { bytes, view } = burst
    this.#burst = burst
    this.#packets = { words: new Uint32Array(bytes.buffer, 0, bytes.length >>> 2), bytes, view }
  }
}

/** One capture on one lcore. */
class Track {
  readonly id: number
  /** Interface of what a port receives, by its id. */
  readonly rx = new Int32Array(MAX_PORTS)
  /** Interface of what is sent to a port. */
  readonly tx = new Int32Array(MAX_PORTS)
  /** Whether what is sent is captured at all. */
  readonly sends: boolean
  readonly #ring: RingWriter
  readonly #clock: ClockReader
  readonly #filter: FrameFilter | undefined
  readonly #snaplen: number
  #image: CaptureImage
  #bytes = 0

  constructor(image: CaptureImage, lcore: number) {
    this.id = image.id
    this.sends = image.direction !== 'rx'
    this.#image = image
    this.#ring = new RingWriter(image.rings[lcore] as RingMemory)
    this.#clock = new ClockReader(image.clock)
    this.#filter = image.filter && compileBpf(image.filter)
    this.#snaplen = image.snaplen
    // Compiled now, not while frames wait.
    this.#filter?.(new DataView(new ArrayBuffer(0)), 0, 0)
  }

  configure(image: CaptureImage, ports: PortDirectory): void {
    this.#image = image
    this.portsChanged(ports)
  }

  portsChanged({ names }: PortDirectory): void {
    const { interfaces, direction } = this.#image
    this.rx.fill(NONE)
    this.tx.fill(NONE)
    for (const [id, name] of names) {
      const number = interfaces.get(name)
      if (number === undefined || number >= MAX_INTERFACES) continue
      if (direction !== 'tx') this.rx[id] = number
      if (direction !== 'rx') this.tx[id] = number
    }
  }

  begin(burst: Burst): void {
    this.#clock.stamp(burst)
    this.#bytes = burst.bytes.length
  }

  record(
    { view, offset, length }: Burst,
    packets: Packets,
    index: number,
    id: number,
    direction: number,
  ): void {
    const at = offset[index] as number
    const bytes = length[index] as number
    // What a program has moved out of packet memory is dropped when it is sent.
    if (at + bytes > this.#bytes) return
    this.#ring.countReceived(id)
    if (this.#filter !== undefined && this.#filter(view, at, bytes) === 0) return
    const { high, low } = this.#clock
    const captured = bytes < this.#snaplen ? bytes : this.#snaplen
    this.#ring.put(id, direction, high, low, packets, at, bytes, captured)
  }

  end(): void {
    this.#ring.publish()
  }
}
