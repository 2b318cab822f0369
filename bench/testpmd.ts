import { setTimeout as sleep } from 'node:timers/promises'
import { BenchProcess } from './process.js'
import {
  type ForwardStats,
  type PortStats,
  parseForwardStats,
  parsePortStats,
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
  readonly vdevs: readonly [string, string]
  /** testpmd's own further arguments. */
  readonly args: readonly string[]
  /** Folder for the files EAL makes. */
  readonly folder: string
}

/** dpdk-testpmd with two ports, told what to do through its prompt. */
export class Testpmd implements AsyncDisposable {
  readonly process: BenchProcess
  #unread = ''
  #wake: () => void = () => {}
  #before: ForwardStats | undefined

  constructor({ name, cpu, otherCpus, memory, vdevs, args, folder }: TestpmdOptions) {
    this.process = new BenchProcess(
      name,
      // Line by line: it would hold back its answers until they fill a buffer.
      'stdbuf',
      [
        ...['-oL', 'dpdk-testpmd', '--lcores', `0@(${otherCpus}),1@${cpu}`],
        ...['--no-pci', '--no-telemetry', `--file-prefix=${name}`, ...memory],
        ...vdevs.flatMap((vdev) => ['--vdev', vdev]),
        ...['--', '--interactive', '--no-mlockall', '--forward-mode=io', '--total-num-mbufs=32768'],
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
