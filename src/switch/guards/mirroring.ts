import { type Burst, DROP, MAX_FRAMES } from 'dpdk-vhost/programs/program'
import type { SubBurst } from 'dpdk-vhost/programs/sub-burst'
import type { MirrorOutput } from './mirror-output.js'
import type { Mirrors } from './mirrors.js'

/** Whether the egress policer of a port lets frame `index` pass. */
type Police = (burst: Burst, index: number, port: number) => boolean

/** What mirrors get of each burst. */
export class Mirroring {
  readonly #mirrors: Mirrors
  readonly #police: Police
  /** Mirrors that have each frame of the burst already. */
  readonly #mirrored = new Int32Array(MAX_FRAMES)
  /** Mirrors that are to get each frame as it is sent. */
  readonly #selected = new Int32Array(MAX_FRAMES)
  /** Frames made to be mirrored, as they were received, and who gets them. */
  readonly #asReceived = new Uint32Array(MAX_FRAMES)
  readonly #asReceivedFor = new Int32Array(MAX_FRAMES)
  #asReceivedCount = 0

  constructor(mirrors: Mirrors, police: Police) {
    this.#mirrors = mirrors
    this.#police = police
  }

  /** Forgets the burst before, of which a decision that threw leaves things behind. */
  begin(): void {
    this.#mirrored.fill(0)
    this.#asReceivedCount = 0
  }

  /** Whether a frame was made that {@link finish} sends. */
  get hasReceived(): boolean {
    return this.#asReceivedCount > 0
  }

  /** Keeps frame `index`, just received, as it is for the mirrors that take it: what decides may change it. */
  receive(burst: Burst, index: number): void {
    const mirrors = this.#mirrors
    const { inPort } = burst
    const selecting = mirrors.taking(mirrors.received[inPort] as number, burst, index, inPort)
    const takers = mirrors.withReadyOutput(selecting, burst)
    if (takers === 0) return
    const frame = burst.duplicate(index)
    // Counted by the lcore as a frame not made.
    if (frame < 0) return
    const at = this.#asReceivedCount++
    this.#asReceived[at] = frame
    this.#asReceivedFor[at] = takers
    this.#mirrored[index] = mirrors.withSharing(takers)
  }

  /** What a program duplicated of these frames was mirrored with its original. */
  inherit(frames: SubBurst): void {
    for (let i = frames.count; i < frames.total; i++) {
      const original = frames.originalOf(i)
      if (original < 0) continue
      const mirrored = this.#mirrored[frames.realIndex(original)] as number
      this.#mirrored[frames.realIndex(i)] = mirrored
    }
  }

  /** Notes who takes frame `index`, which will be sent to `port`. */
  select(burst: Burst, index: number, port: number): void {
    const mirrors = this.#mirrors
    const takers = mirrors.taking(mirrors.sent[port] as number, burst, index, port)
    this.#selected[index] = (this.#selected[index] as number) | takers
  }

  /** Sends what was noted. @param verdictsAreFinal - whether a frame with the verdict DROP is not needed by anybody else */
  sendSelected(burst: Burst, verdictsAreFinal: boolean): void {
    const mirrors = this.#mirrors
    const { total } = burst
    for (let i = 0; i < total; i++) {
      const takers = (this.#selected[i] as number) & ~(this.#mirrored[i] as number)
      this.#selected[i] = 0
      if (takers === 0) continue
      const sending = mirrors.withReadyOutput(takers, burst)
      this.#mirrored[i] = (this.#mirrored[i] as number) | mirrors.withSharing(takers)
      this.#send(burst, i, sending, verdictsAreFinal, false)
    }
  }

  /** The rest of the burst, when all verdicts are seen to. */
  finish(burst: Burst): void {
    this.sendSelected(burst, true)
    for (let i = 0; i < this.#asReceivedCount; i++) {
      const takers = this.#asReceivedFor[i] as number
      const isLast = (takers & (takers - 1)) === 0
      this.#send(burst, this.#asReceived[i] as number, takers, true, isLast)
    }
    this.#asReceivedCount = 0
    this.#mirrors.publish()
  }

  /**
   * Sends frame `index` to the outputs of these mirrors.
   *
   * @param isOwn - whether nobody else gets this frame, so that it may be changed
   */
  #send(
    burst: Burst,
    index: number,
    takers: number,
    verdictsAreFinal: boolean,
    isOwn: boolean,
  ): void {
    const mirrors = this.#mirrors
    for (let left = takers; left !== 0; left &= left - 1) {
      const outputs = mirrors.outputsOfLowest(left)
      let sent = -1
      for (let i = 0; i < outputs.length; i++) {
        const output = outputs[i] as MirrorOutput
        if (!output.isReady(burst)) continue
        const frame = formed(burst, index, output, isOwn && outputs.length === 1)
        if (frame >= 0 && this.#sendTo(output.ports, burst, frame, verdictsAreFinal)) sent = frame
      }
      // Once, to however many ports it went.
      if (sent >= 0) mirrors.countOfLowest(left, burst.length[sent] as number)
    }
  }

  /** Sends frame `index` to those of the ports that are ready and let it pass. Whether there was one. */
  #sendTo(ports: Uint16Array, burst: Burst, index: number, verdictsAreFinal: boolean): boolean {
    let isSent = false
    for (let i = 0; i < ports.length; i++) {
      const port = ports[i] as number
      if (burst.isReady[port] === 0 || !this.#police(burst, index, port)) continue
      if (verdictsAreFinal && burst.outPort[index] === DROP) burst.outPort[index] = port
      else burst.copyTo(index, port)
      isSent = true
    }
    return isSent
  }
}

/**
 * Frame `index` in the form in which it leaves by an output: a duplicate where it has to change and is not our own.
 *
 * @returns its index, or -1 where there is no room for a duplicate: the lcore counts it as a frame not made
 */
function formed(burst: Burst, index: number, output: MirrorOutput, isOwn: boolean): number {
  if (!output.changes(burst, index)) return index
  const frame = isOwn ? index : burst.duplicate(index)
  if (frame >= 0) output.change(burst, frame)
  return frame
}
