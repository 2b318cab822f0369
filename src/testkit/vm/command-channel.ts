/**
 * The host's end of one command channel: a byte stream to a shell in the guest that runs one command at a time.
 *
 * The guest sends, each on its own line and starting with {@link MESSAGE_MARK}:
 *
 * - `hello <boot id> <status>` once after every boot; the status is `ok` or what failed, with underscores;
 * - `begin <job>`, then the bytes of the command's output as they come, then `end <job> <exit code>`.
 *
 * Job names are random and the guest's command does not learn its own, so output cannot be taken for an end.
 *
 * @packageDocumentation
 */
import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { VirtualMachineError } from './errors.js'
import { MESSAGE_MARK } from './guest-script.js'

/** How a command ended, and every byte it wrote. */
export interface RawResult {
  readonly exitCode: number
  readonly output: Buffer
}

/** A command under way. */
export interface Job {
  /** Name of the job in the guest; its process is in `/run/<id>.pid` there. */
  readonly id: string
  /** Settles when the guest has reported the end, or cannot any more. */
  readonly ended: Promise<RawResult>
  /** What the command has written up to now. */
  outputSoFar(): Buffer
}

interface RunningJob {
  readonly id: string
  readonly chunks: Buffer[]
  readonly onOutput: (chunk: Buffer) => void
  readonly resolve: (result: RawResult) => void
  readonly reject: (error: Error) => void
  begun: boolean
}

const MARK = Buffer.from(MESSAGE_MARK)

/** One channel. It is {@link ready} after the guest's hello and until the guest is reset. */
export class CommandChannel {
  readonly #stream: Duplex
  readonly #onHello: (bootId: string, status: string) => void
  #pending: Buffer = Buffer.alloc(0)
  #bootId: string | undefined
  #job: RunningJob | undefined

  /** `onHello` is called after every boot of the guest. */
  constructor(stream: Duplex, onHello: (bootId: string, status: string) => void) {
    this.#stream = stream
    this.#onHello = onHello
    stream.on('data', (chunk: Buffer) => this.#receive(chunk))
    // The end of QEMU is noticed and reported elsewhere; here it only breaks the pipe.
    stream.on('error', () => {})
  }

  /** Whether a command can be started now. */
  get ready(): boolean {
    return this.#bootId !== undefined && this.#job === undefined
  }

  /** Starts a command. Only when {@link ready}. */
  start(command: string, onOutput: (chunk: Buffer) => void = () => {}): Job {
    if (this.#bootId === undefined || this.#job !== undefined)
      throw new Error('the channel is not ready')
    const id = randomBytes(12).toString('hex')
    const chunks: Buffer[] = []
    const ended = new Promise<RawResult>((resolve, reject) => {
      this.#job = { id, chunks, onOutput, resolve, reject, begun: false }
    })
    this.#stream.write(`${this.#bootId} ${id} ${Buffer.from(command).toString('base64')}\n`)
    return { id, ended, outputSoFar: () => Buffer.concat(chunks) }
  }

  /** The guest said its hello elsewhere, before it came here. */
  adopt(bootId: string): void {
    this.#greeted(bootId, 'ok')
  }

  /** The guest was reset: the command under way is lost, and the channel is not ready until the next hello. */
  lose(error: VirtualMachineError): void {
    this.#bootId = undefined
    const job = this.#job
    this.#job = undefined
    job?.reject(
      new VirtualMachineError(error.code, error.message, Buffer.concat(job.chunks).toString()),
    )
  }

  #receive(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    while (this.#job?.begun ? this.#takeOutput(this.#job) : this.#takeMessage()) {
      // One step at a time, until there is nothing complete left.
    }
  }

  /** Passes on output up to the end message. Returns whether the end was reached. */
  #takeOutput(job: RunningJob): boolean {
    const end = Buffer.from(`${MESSAGE_MARK}end ${job.id} `)
    const at = this.#pending.indexOf(end)
    if (at < 0) {
      // Keep back only what may be the beginning of the end message, so that lines arrive as they are written.
      const mark = this.#pending.indexOf(MARK, Math.max(0, this.#pending.length - end.length + 1))
      this.#emit(job, mark < 0 ? this.#pending.length : mark)
      return false
    }
    const newline = this.#pending.indexOf('\n', at)
    this.#emit(job, at)
    if (newline < 0) return false
    const exitCode = Number(this.#pending.toString('latin1', end.length, newline - at))
    this.#pending = this.#pending.subarray(newline - at + 1)
    this.#job = undefined
    job.resolve({ exitCode, output: Buffer.concat(job.chunks) })
    return true
  }

  #emit(job: RunningJob, length: number): void {
    if (length === 0) return
    const chunk = this.#pending.subarray(0, length)
    this.#pending = this.#pending.subarray(length)
    job.chunks.push(chunk)
    job.onOutput(chunk)
  }

  /** Takes one line outside of any output. Returns whether there was one. */
  #takeMessage(): boolean {
    const newline = this.#pending.indexOf('\n')
    if (newline < 0) return false
    const line = this.#pending.toString('latin1', 0, newline)
    this.#pending = this.#pending.subarray(newline + 1)
    const mark = line.lastIndexOf(MESSAGE_MARK)
    const [kind, first, second] = mark < 0 ? [] : line.slice(mark + 1).split(' ')
    if (kind === 'begin' && this.#job !== undefined && first === this.#job.id)
      this.#job.begun = true
    if (kind === 'hello' && first !== undefined && first !== this.#bootId)
      this.#greeted(first, (second ?? '').replaceAll('_', ' '))
    return true
  }

  #greeted(bootId: string, status: string): void {
    // A request that no hello was seen for cannot reach this boot.
    if (this.#job !== undefined)
      this.lose(new VirtualMachineError('ERR_VM_RESET', 'the guest was reset'))
    this.#bootId = bootId
    this.#onHello(bootId, status)
  }
}
