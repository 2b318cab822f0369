import { buildUdp } from '../../src/headers/build.js'
import { GUEST_MACS } from '../frames.js'
import { OwnProcess } from '../own/own-process.js'
import { RING_ARGUMENTS } from '../ring-arguments.js'
import { QEMU_QUEUE_SIZE, type Setup } from '../setup.js'
import type { PostedTrial, TesterReply, TesterRequest, TesterStart } from './messages.js'
import { type Trial, trialOf } from './trial.js'

/** Of the range of RFC 2544, the same for both as testpmd has it: port security may insist on it. */
const ADDRESS = '198.18.0.1'

/** Bytes of the headers of a frame. */
const HEADERS = 14 + 20 + 8
/** Shortest frame that holds what the tester writes into it. */
export const LEAST_FRAME_BYTES = 60

const LINGER_MS = 2000

export interface TrialRequest {
  /** Both directions together; 0: as many as the rings take. */
  readonly framesPerSecond: number
  readonly milliseconds: number
  /** A frame that comes later than this after all others is lost. Default: the 2 seconds of RFC 2544. */
  readonly lingerMs?: number
  /** Each frame at a random time within its turn instead of at its beginning. */
  readonly scattered?: boolean
}

/**
 * The tester, in the words of RFC 2544: two guests in a process of its own that send each other frames at a set rate,
 * and tell what came and how late. One thread sends, receives and reads the clock. It has started once a switch is connected
 * to both.
 */
export class Tester extends OwnProcess<TesterRequest, TesterReply> {
  constructor({ ring, frameBytes, sockets, folder, cpus, memory }: Setup) {
    const devargs = (i: 0 | 1) =>
      `net_virtio_user${i},path=${sockets[i]},server=1,queue_size=${QEMU_QUEUE_SIZE},mac=${GUEST_MACS[i]}` +
      RING_ARGUMENTS[ring]
    const start: TesterStart = {
      devargs: [devargs(0), devargs(1)],
      queueSize: QEMU_QUEUE_SIZE,
      frames: [frameFrom(0, frameBytes), frameFrom(1, frameBytes)],
      cpu: cpus.generator,
      memory: memory.kind,
      memoryMiB: memory.mib,
    }
    super('tester', new URL('./main.js', import.meta.url), start, folder)
  }

  /** From now on each trial tells how long the polling thread of that process waited for that CPU. */
  async watch(pid: number, cpu: number): Promise<void> {
    await this.channel.ask({ kind: 'watch', pid, cpu }, 'watching')
  }

  /** Sends for that long, waits for the last frames, and tells what came of them. */
  async trial(asked: TrialRequest): Promise<Trial> {
    const { framesPerSecond, milliseconds, lingerMs = LINGER_MS, scattered = false } = asked
    const { cyclesPerSecond } = await this.start
    const request = {
      kind: 'trial',
      milliseconds,
      lingerMs,
      framesPerSecond: framesPerSecond / 2,
      scattered,
    } as const
    const { result } = await this.channel.ask(request, 'trial', milliseconds + lingerMs)
    return trialOf(result as PostedTrial, { framesPerSecond, milliseconds }, cyclesPerSecond)
  }
}

/** What port `i` sends: UDP to the other, without a checksum, because the payload is another in each frame. */
function frameFrom(i: 0 | 1, frameBytes: number): number[] {
  const other = i === 0 ? 1 : 0
  const frame = buildUdp({
    source: GUEST_MACS[i],
    destination: GUEST_MACS[other],
    sourceIp: ADDRESS,
    destinationIp: ADDRESS,
    sourcePort: 10_000,
    destinationPort: 10_000,
    payload: new Uint8Array(frameBytes - HEADERS),
  })
  frame.fill(0, HEADERS - 2, HEADERS)
  return [...frame]
}
