/** `vswitch capture`: what ports receive and send, to a file, a pipe, or as lines for people. */

import { createWriteStream } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AdminClient } from '../admin/client.js'
import { NoSwitchError } from '../admin/client-error.js'
import type { CaptureRequest } from '../control.js'
import { counted } from '../counted.js'
import { CommandError, UsageError } from './exit-codes.js'
import { PcapngScanner } from './pcapng-scanner.js'
import type { ClientOptions } from './queries.js'
import { frameText } from './text/frame.js'

export interface CaptureCommandOptions extends ClientOptions {
  readonly all?: boolean
  readonly filter?: string
  readonly snaplen?: number
  readonly count?: number
  readonly direction?: 'rx' | 'tx' | 'both'
  /** A file; `-`: standard output. */
  readonly write?: string
}

/** @param ports - names, or several with commas between */
export async function capture(
  ports: readonly string[],
  options: CaptureCommandOptions,
): Promise<void> {
  const { all = false, write } = options
  const names = ports.flatMap((port) => port.split(',')).filter((name) => name !== '')
  if (all === names.length > 0) throw new UsageError('name ports, or give --all')
  if (write === '-' && process.stdout.isTTY) {
    throw new UsageError(
      'a capture is nothing for a terminal; pipe it (| tcpdump -r -), write it to a file, or leave --write out',
    )
  }
  const { filter, snaplen, count, direction } = options
  const request: CaptureRequest = {
    ports: all ? undefined : names,
    filter,
    snaplen,
    count,
    direction,
  }
  const client = new AdminClient(options.socket)
  const { id, stream } = await client.capture(request)
  using _signals = endOnSignals(() => client.captureEnd(id))
  const lines: string[] = []
  const scanner = new PcapngScanner(
    write === undefined ? (frame) => lines.push(`${frameText(frame)}\n`) : undefined,
  )
  const shown = (chunk: Buffer) => {
    scanner.take(chunk)
    return write === undefined ? lines.splice(0).join('') : chunk
  }
  try {
    await passOn(stream, shown, write)
  } catch (error) {
    if (stream.errored) throw new NoSwitchError(options.socket, stream.errored)
    throw new CommandError(`cannot write ${write}: ${(error as Error).message}`)
  }
  process.stderr.write(`${summaryOf(scanner)}\n`)
}

/** Resolves when the capture has ended and all of it is written. */
async function passOn(
  stream: Readable,
  shown: (chunk: Buffer) => Buffer | string,
  write: string | undefined,
): Promise<void> {
  async function* output(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) yield shown(chunk)
  }
  const target: Writable =
    write === undefined || write === '-' ? process.stdout : createWriteStream(write)
  await pipeline(stream, output, target, { end: target !== process.stdout })
}

/** The first signal has the switch send what is left and the statistics; the second ends this at once. */
function endOnSignals(end: () => Promise<void>): Disposable {
  let asked = false
  const onSignal = () => {
    if (asked) process.exit(130)
    asked = true
    // It may just have ended by itself.
    end().catch(() => {})
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  return {
    [Symbol.dispose]: () => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal)
    },
  }
}

function summaryOf({ frames, received, dropped }: PcapngScanner): string {
  const count = counted(frames, 'frame')
  // A switch that was killed wrote no statistics.
  if (received === undefined) return `${count} captured; the switch ended before it had counted`
  return `${count} captured, ${received} seen, ${dropped} lost because they were not read in time`
}
