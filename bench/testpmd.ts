import { setTimeout as sleep } from 'node:timers/promises'
import { BenchProcess } from './process.js'
import {
  type ForwardStats,
  type PortStats,
  parseForwardStats,
  parseFrames,
  parsePortStats,
  type SeenFrame,
} from './testpmd-output.js'

const PROMPT = 'testpmd> '

/** How long an answer may take: the thread that answers shares its CPU with threads that poll. */
const ANSWER_MS = 10_000

export interface TestpmdOptions {
  /** What it is in the bench, for messages. */
  readonly name: string
  /** CPU of the thread that forwards. */
  readonly cpu: number
  /** CPUs of the thread that takes commands, as EAL writes lists: `0-3,8`. */
  readonly otherCpus: string
  /** EAL's arguments for memory. */
  readonly memory: readonly string[]
  /** Further arguments of EAL. */
  readonly eal?: readonly string[]
  readonly vdevs: readonly [string, string]
  /** What goes before its command to run it in a network namespace. */
  readonly enter?: readonly string[] | undefined
  /** How it forwards. Default `io`: what comes in at one port leaves by the other as it is. */
  readonly forward?: ForwardMode
  /** Longest frame, without FCS, that has to fit into one buffer. Default: those of a usual MTU. */
  readonly frameBytes?: number | undefined
  /** Bytes of a buffer, where it is to take no longer frames than it has to. Default: what a usual MTU needs. */
  readonly bufferBytes?: number | undefined
  /** Queue pairs of each port. */
  readonly queuePairs?: number | undefined
  /** testpmd's own further arguments. */
  readonly args: readonly string[]
  /** Folder for the files EAL makes. */
  readonly folder: string
}

/**
 * - `mac`: as `io`, with the address of its port as source, and that of the guest as destination
 * - `5tswap`: as `io`, with source and destination exchanged: MAC addresses, IP addresses, ports of UDP and TCP
 */
export type ForwardMode = 'io' | 'mac' | '5tswap'

/** Headroom of a buffer, and what a frame takes of it that fits into those that testpmd makes by itself. */
const HEADROOM = 128
const USUAL_BYTES = 2048
/** Longest frame of a usual MTU with FCS, and what virtio puts before it. */
const [USUAL_FRAME, PORT_HEADER] = [1518, 28]

/** Bytes that all frames may take: half of what a process gets. */
const FRAME_MEMORY = 128 << 20

/** dpdk-testpmd with two ports, told what to do through its prompt. */
export class Testpmd implements AsyncDisposable {
  readonly process: BenchProcess
  #unread = ''
  #wake: () => void = () => {}
  #before: ForwardStats | undefined

  constructor(options: TestpmdOptions) {
    const { name, cpu, otherCpus, memory, vdevs, forward = 'io', args, folder } = options
    const { enter = [], queuePairs = 1, eal = [] } = options
    // Line by line: it would hold back its answers until they fill a buffer.
    const [command = '', ...before] = [...enter, 'stdbuf']
    this.process = new BenchProcess(
      name,
      command,
      [
        ...[...before, '-oL', 'dpdk-testpmd', '--lcores', `0@(${otherCpus}),1@${cpu}`],
        ...['--no-pci', '--no-telemetry', `--file-prefix=${name}`, ...memory, ...eal],
        ...vdevs.flatMap((vdev) => ['--vdev', vdev]),
        ...['--', '--interactive', '--no-mlockall', `--forward-mode=${forward}`],
        ...buffers(options),
        ...[`--rxq=${queuePairs}`, `--txq=${queuePairs}`, '--nb-cores=1'],
        ...args,
      ],
      { stdio: 'pipe', env: { ...process.env, RUNTIME_DIRECTORY: folder } },
    )
    this.process.child.stdout?.on('data', (text: string) => {
      this.#unread += text
      this.#wake()
    })
    // Said better by `process.failed`.
    this.process.child.stdin?.on('error', () => {})
  }

  /** Waits for its first prompt: its ports are set up. */
  async started(timeoutMs: number): Promise<void> {
    await this.#read(timeoutMs)
  }

  /** Gives a command; resolves to what it prints before the next prompt. */
  async command(text: string): Promise<string> {
    this.#unread = ''
    this.process.child.stdin?.write(`${text}\n`)
    return this.#read(ANSWER_MS)
  }

  async portStats(): Promise<PortStats> {
    return parsePortStats(await this.command('show port stats all'), 2)
  }

  /** Has the cycles of each burst counted from now on. It costs it some itself, so not all the time. */
  async countCycles(): Promise<void> {
    await this.command('set record-core-cycles on')
    // A burst under way at this moment adds the time of day instead of its cycles.
    await sleep(20)
    this.#before = await this.#forwardStats()
  }

  /** What it forwarded since {@link countCycles}. */
  async forwarded(): Promise<ForwardStats> {
    const now = await this.#forwardStats()
    const before = this.#before
    if (before === undefined) throw new Error('countCycles comes first')
    return {
      rxFrames: now.rxFrames - before.rxFrames,
      txDropped: now.txDropped - before.txDropped,
      busyCycles: now.busyCycles - before.busyCycles,
      tscMHz: now.tscMHz,
    }
  }

  /**
   * Takes what comes in from now on, instead of forwarding it, and tells what it was: that ends what goes round.
   *
   * @param milliseconds - after which what goes round has come in
   */
  async takeFrames(milliseconds: number): Promise<SeenFrame[]> {
    for (const command of ['stop', 'set fwd rxonly', 'set verbose 1', 'start'])
      await this.command(command)
    await Promise.race([sleep(milliseconds), this.process.failed])
    // What follows the prompt of `start`, since nothing was asked after it.
    return parseFrames(this.#unread)
  }

  async #forwardStats(): Promise<ForwardStats> {
    return parseForwardStats(await this.command('show fwd stats all'))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.process[Symbol.asyncDispose]()
  }

  /** What it prints up to its next prompt. */
  async #read(timeoutMs: number): Promise<string> {
    const deadline = performance.now() + timeoutMs
    while (!this.#unread.includes(PROMPT)) {
      const left = deadline - performance.now()
      if (left <= 0) {
        throw new Error(
          `dpdk-testpmd did not answer within ${timeoutMs} ms:\n${this.process.output.slice(-2000)}`,
        )
      }
      let timer: NodeJS.Timeout | undefined
      const more = new Promise<void>((resolve) => {
        this.#wake = resolve
        timer = setTimeout(resolve, left)
      })
      await Promise.race([more, this.process.failed]).finally(() => clearTimeout(timer))
    }
    return this.#unread
  }
}

/** Arguments for buffers that take such frames whole. */
function buffers({ frameBytes = 0, bufferBytes }: TestpmdOptions): string[] {
  const bytes = bufferBytes ?? Math.max(USUAL_BYTES, frameBytes)
  const count = Math.min(32768, Math.floor(FRAME_MEMORY / (bytes + HEADROOM)))
  const size = [`--total-num-mbufs=${count}`, `--mbuf-size=${bytes + HEADROOM}`]
  // Ports refuse buffers that are shorter than their longest frame and its header.
  const longest = Math.min(USUAL_FRAME, (bufferBytes ?? USUAL_BYTES) - PORT_HEADER)
  return longest < USUAL_FRAME ? [...size, `--max-pkt-len=${longest}`] : size
}
