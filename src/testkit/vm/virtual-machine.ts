/**
 * Virtual machines with a vhost-user network interface, running Linux.
 *
 * @packageDocumentation
 */
import { lstat, readFile, unlink } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { VirtualMachineError } from './errors.js'
import { type CommandOptions, type CommandResult, GuestAgent } from './guest-agent.js'
import { REBIND_COMMAND } from './guest-script.js'
import { initramfs } from './initramfs.js'
import { KernelImage } from './kernel-image.js'
import { LineSplitter } from './line-splitter.js'
import { type MigrationOptions, migrate } from './migration.js'
import { Monitor } from './monitor.js'
import { toSpec, type VirtualMachineOptions, type VirtualMachineSpec } from './options.js'
import { VHOST_CHARDEV } from './qemu-arguments.js'
import { QemuProcess } from './qemu-process.js'

export type { VirtualMachineErrorCode } from './errors.js'
export { VirtualMachineError } from './errors.js'
export type { CommandOptions, CommandResult } from './guest-agent.js'
export type { MigrationOptions } from './migration.js'
export type { SocketRole, VirtualMachineOptions, VirtualMachineSpec } from './options.js'

/** What the guest sees of its interface. */
export interface LinkState {
  /** Whether the link is up: QEMU takes it down while no switch is connected. */
  readonly up: boolean
  /** How often it went up or down since the guest booted. */
  readonly changes: number
  readonly mtu: number
}

/** How a boot went. */
export interface BootInfo {
  /** From the moment the guest's processor started to the moment commands can be run. */
  readonly bootMs: number
}

/** Options of operations that wait. */
export interface WaitOptions {
  /** The promise is rejected with `ERR_VM_TIMEOUT` after this time. Default 60 seconds. */
  readonly timeoutMs?: number | undefined
}

/** Commands that can run at the same time; further ones wait for their turn. */
const CONCURRENT_COMMANDS = 4
const DEFAULT_TIMEOUT_MS = 60_000
const CONSOLE_LINES_KEPT = 20
const LINK_POLL_MS = 50
const LINK_ANSWER_MS = 5000

/** A running machine. */
export class VirtualMachine implements AsyncDisposable {
  readonly spec: VirtualMachineSpec
  readonly #qemu: QemuProcess
  readonly #monitor: Monitor
  readonly #agent: GuestAgent
  readonly #lastLines: string[] = []
  #startedAt: number | undefined
  #bootMs = 0
  #closed: Promise<void> | undefined

  /**
   * Starts a machine. With the role `server` it resolves when QEMU listens on the socket. The guest boots when
   * the first switch has connected, not before: wait for that with {@link ready}.
   */
  static async start(options: VirtualMachineOptions): Promise<VirtualMachine> {
    const spec = toSpec(options)
    options.signal?.throwIfAborted()
    const kernel = await KernelImage.find()
    const boot = { kernel: kernel.path, initramfs: await initramfs(kernel, spec.programs) }
    options.signal?.throwIfAborted()
    const machine = new VirtualMachine(
      spec,
      new QemuProcess(spec, boot, CONCURRENT_COMMANDS + 1),
      options,
    )
    try {
      await machine.#started()
    } catch (error) {
      await machine.close()
      throw error
    }
    return machine
  }

  private constructor(spec: VirtualMachineSpec, qemu: QemuProcess, options: VirtualMachineOptions) {
    this.spec = spec
    this.#qemu = qemu
    this.#agent = new GuestAgent(qemu.channels)
    this.#monitor = new Monitor(qemu.monitor, (event) => {
      // However it came about: by reset(), by `reboot` in the guest, or by a panic.
      if (event === 'RESET') this.#guestReset()
    })
    void this.#monitor.greeted.then(() => {
      this.#startedAt = performance.now()
    })
    this.#timeBoot()
    const lines = new LineSplitter((line) => {
      this.#lastLines.push(line)
      if (this.#lastLines.length > CONSOLE_LINES_KEPT) this.#lastLines.shift()
      options.onConsole?.(line)
    })
    qemu.console.on('data', (chunk: Buffer) => lines.push(chunk))
    qemu.console.on('error', () => {})

    const abort = (): void => void this.close()
    options.signal?.addEventListener('abort', abort, { once: true })
    void qemu.ended.then((error) => {
      options.signal?.removeEventListener('abort', abort)
      this.#monitor.fail(error)
      this.#agent.fail(error)
    })
  }

  /** Process id of QEMU's guard; QEMU is below it. */
  get pid(): number | undefined {
    return this.#qemu.pid
  }

  /** Resolves when QEMU has ended, with what is known of the reason. */
  get ended(): Promise<VirtualMachineError> {
    return this.#qemu.ended
  }

  /**
   * Resolves when the guest has booted, its interface is up, and commands can be run. That needs a switch to be
   * connected. After a reset it waits for the next boot.
   */
  async ready(options: WaitOptions = {}): Promise<BootInfo> {
    await this.#inTime(this.#agent.ready(), options, () => this.#notReady())
    return { bootMs: this.#bootMs }
  }

  /**
   * Runs a shell command in the guest, with BusyBox's programs at hand, and resolves when it and all it has
   * started have closed their output. A command that fails is no error: look at `exitCode`. What it should leave
   * running in the background has to have its output redirected.
   */
  run(command: string, options?: CommandOptions): Promise<CommandResult> {
    return this.#agent.run(command, options)
  }

  /** What the guest sees of its link. */
  async link(options?: WaitOptions): Promise<LinkState> {
    const files =
      '/sys/class/net/eth0/carrier /sys/class/net/eth0/carrier_changes /sys/class/net/eth0/mtu'
    const { output, exitCode } = await this.#agent.run(`cat ${files}`, options)
    const [carrier, changes, mtu] = output.split('\n').map(Number)
    if (exitCode !== 0)
      throw new VirtualMachineError(
        'ERR_VM_GUEST',
        `cannot read the state of eth0: ${output.trim()}`,
      )
    return { up: carrier === 1, changes: changes ?? 0, mtu: mtu ?? 0 }
  }

  /** Resolves when the guest sees its link up, or down. */
  async waitForLink(up: boolean, options: WaitOptions = {}): Promise<LinkState> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const left = deadline - performance.now()
      if (left <= 0) {
        const state = up ? 'down' : 'up'
        throw new VirtualMachineError(
          'ERR_VM_TIMEOUT',
          `the link of ${this.spec.name} is still ${state}`,
        )
      }
      // A busy guest may be slow to answer: then it is the answer that did not come in time.
      const state = await this.link({ timeoutMs: Math.max(left, LINK_ANSWER_MS) })
      if (state.up === up) return state
      await delay(LINK_POLL_MS)
    }
  }

  /** Whether a switch is connected to the vhost-user socket, as QEMU sees it. */
  async switchConnected(): Promise<boolean> {
    if (this.#startedAt === undefined) return false
    const devices = (await this.#monitor.execute('query-chardev')) as {
      label: string
      filename: string
    }[]
    const device = devices.find(({ label }) => label === VHOST_CHARDEV)
    return device !== undefined && !device.filename.startsWith('disconnected:')
  }

  /**
   * Has the guest's driver let go of its network device and take it again: the switch sees the device end and
   * start on the same connection, with features negotiated anew.
   */
  async rebindDriver(options?: WaitOptions): Promise<void> {
    const { exitCode, output } = await this.#agent.run(REBIND_COMMAND, options)
    if (exitCode !== 0)
      throw new VirtualMachineError('ERR_VM_GUEST', `cannot rebind: ${output.trim()}`)
  }

  /** Resets the machine as its reset button would. Resolves at once; wait for the boot with {@link ready}. */
  async reset(options: WaitOptions = {}): Promise<void> {
    if (this.#startedAt === undefined) return
    // QEMU reports the reset before it answers or soon after; what happened before must not count as the new boot.
    this.#guestReset()
    await this.#inTime(this.#monitor.execute('system_reset'), options, () => 'QEMU did not answer')
  }

  /**
   * Moves the running guest into another machine, which was started with the same options and `incoming: true` and has
   * its own socket; both sockets need a switch. Run nothing in the guest meanwhile but what is left in its background:
   * what is not over then is lost, as with a reset. Afterwards the guest is the other machine's, and this one is good
   * for nothing but {@link close}.
   */
  async migrateTo(destination: VirtualMachine, options: MigrationOptions = {}): Promise<void> {
    const bootId = this.#agent.bootId
    if (bootId === undefined)
      throw new VirtualMachineError('ERR_VM_GUEST', `${this.spec.name} has not booted`)
    await migrate(this.#monitor, destination.#monitor, options)
    this.#agent.fail(
      new VirtualMachineError('ERR_VM_ENDED', `${this.spec.name} has migrated to another machine`),
    )
    destination.#agent.adopt(bootId)
  }

  /** Ends it by SIGKILL: to the switch it is a guest that crashed. Its socket stays behind until {@link close}. */
  kill(): Promise<void> {
    return this.#qemu.kill()
  }

  /** Ends the machine and resolves when nothing of it is left. May be called more than once. */
  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #end(): Promise<void> {
    const error = new VirtualMachineError('ERR_VM_ENDED', `${this.spec.name} was closed`)
    this.#monitor.fail(error)
    this.#agent.fail(error)
    await this.#qemu.stop()
    if (this.spec.role === 'server') await removeSocket(this.spec.socket)
  }

  #guestReset(): void {
    this.#startedAt = performance.now()
    this.#agent.guestReset()
    this.#timeBoot()
  }

  #timeBoot(): void {
    const done = (): void => {
      this.#bootMs = performance.now() - (this.#startedAt ?? performance.now())
    }
    this.#agent.ready().then(done, () => {})
  }

  /** Until QEMU listens. Looking must not connect: the first connection belongs to the switch. */
  async #started(): Promise<void> {
    let failure: VirtualMachineError | undefined
    void this.#qemu.ended.then((error) => {
      failure = error
    })
    while (this.spec.role === 'server' && !(await isListening(this.spec.socket))) {
      if (failure !== undefined) throw failure
      await delay(5)
    }
  }

  #notReady(): string {
    const { name, socket, role } = this.spec
    if (this.#startedAt === undefined) {
      return `${name} has not booted: no switch ${role === 'server' ? 'has connected to' : 'accepts on'} ${socket}`
    }
    return `${name} has not booted in time; its console ended with:\n${this.#lastLines.join('\n')}`
  }

  async #inTime<T>(promise: Promise<T>, options: WaitOptions, message: () => string): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const expire = (): void => reject(new VirtualMachineError('ERR_VM_TIMEOUT', message()))
      timer = setTimeout(expire, options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
    })
    try {
      return await Promise.race([promise, late])
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Whether some process of this network namespace listens on a Unix socket of that path. */
async function isListening(path: string): Promise<boolean> {
  const ACCEPTS_CONNECTIONS = 0x10000
  const sockets = await readFile('/proc/net/unix', 'utf8')
  return sockets.split('\n').some((line) => {
    if (!line.endsWith(` ${path}`)) return false
    return (Number.parseInt(line.split(/\s+/)[3] ?? '', 16) & ACCEPTS_CONNECTIONS) !== 0
  })
}

/** QEMU removes its socket unless it was killed. */
async function removeSocket(path: string): Promise<void> {
  const status = await lstat(path).catch(() => undefined)
  if (status?.isSocket()) await unlink(path).catch(() => {})
}
