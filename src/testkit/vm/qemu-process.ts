/**
 * A QEMU process that cannot outlive whoever started it.
 *
 * @packageDocumentation
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { VirtualMachineError } from './errors.js'
import { HOW_TO_INSTALL } from './kernel-image.js'
import type { VirtualMachineSpec } from './options.js'
import { type BootFiles, type InheritedDescriptors, qemuArguments } from './qemu-arguments.js'

const QEMU = 'qemu-system-x86_64'
const FIRST_DESCRIPTOR = 3
const STOP_GRACE_MS = 3000
const ERRORS_KEPT = 8192

/**
 * QEMU under two guards: `timeout` ends it when its time is over, and the kernel ends each process when its
 * parent does (`setpriv --pdeathsig`), so neither an exit, a crash nor a SIGKILL of Node.js leaves it behind.
 *
 * It talks over socket pairs that it inherits, not over sockets in the file system: nothing has to be cleaned up.
 */
export class QemuProcess {
  readonly monitor: Duplex
  readonly console: Duplex
  readonly channels: readonly Duplex[]
  /** Resolves when QEMU has ended, with what is known of the reason. Never rejects. */
  readonly ended: Promise<VirtualMachineError>
  readonly #child: ChildProcess
  #running = true

  constructor(spec: VirtualMachineSpec, boot: BootFiles, channelCount: number) {
    const inherited: InheritedDescriptors = {
      monitor: FIRST_DESCRIPTOR,
      console: FIRST_DESCRIPTOR + 1,
      channels: Array.from({ length: channelCount }, (_, i) => FIRST_DESCRIPTOR + 2 + i),
    }
    const limit = (spec.maxLifetimeMs / 1000).toFixed(3)
    this.#child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'TERM', 'timeout', '--kill-after=5', limit],
        ...['setpriv', '--pdeathsig', 'KILL', QEMU],
        ...qemuArguments(spec, boot, inherited),
      ],
      {
        stdio: [
          'ignore',
          'ignore',
          'pipe',
          ...Array.from({ length: channelCount + 2 }, () => 'pipe' as const),
        ],
      },
    )

    // Every entry above asks for a pipe, which Node.js makes as a socket pair.
    const streams = this.#child.stdio.slice(FIRST_DESCRIPTOR) as unknown as Duplex[]
    this.monitor = streams[0]!
    this.console = streams[1]!
    this.channels = streams.slice(2)

    let errors = ''
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-ERRORS_KEPT)
    })
    this.ended = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#running = false
        resolve(
          new VirtualMachineError(
            'ERR_VM_MISSING',
            `cannot start setpriv (util-linux): ${error.message}`,
          ),
        )
      })
      // After `close`, not `exit`: then all it said has been read.
      this.#child.on('close', (code, signal) => {
        this.#running = false
        resolve(endError(spec.name, code, signal, withoutInfo(errors)))
      })
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Ends QEMU by SIGKILL and resolves when it is gone. */
  async kill(): Promise<void> {
    // The guard takes QEMU along: the kernel kills it with its parent.
    if (this.#running) this.#child.kill('SIGKILL')
    await this.ended
  }

  /** Asks QEMU to end, insists, and resolves when it is gone. */
  async stop(): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (!this.#running) return
      // `timeout` passes SIGTERM on; when it is killed itself, the kernel kills QEMU.
      this.#child.kill(signal)
      await Promise.race([this.ended, delay(STOP_GRACE_MS, undefined, { ref: false })])
    }
    await this.ended
  }
}

/** QEMU also says when it begins to wait for a connection. */
function withoutInfo(errors: string): string {
  const lines = errors.split('\n').filter((line) => !line.includes(': info: '))
  return lines.join('\n').trim()
}

function endError(
  name: string,
  code: number | null,
  signal: string | null,
  errors: string,
): VirtualMachineError {
  // The exit codes of `timeout`, and of `setpriv` when there is no such program.
  if (code === 127)
    return new VirtualMachineError(
      'ERR_VM_MISSING',
      `cannot run ${QEMU}: ${errors}; ${HOW_TO_INSTALL}`,
    )
  const how =
    code === 124
      ? 'reached its maxLifetimeMs'
      : signal !== null
        ? `got ${signal}`
        : `ended with code ${code}`
  return new VirtualMachineError('ERR_VM_ENDED', `QEMU of ${name} ${how}${errors && `: ${errors}`}`)
}
