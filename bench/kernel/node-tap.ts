import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BenchProcess } from '../process.js'
import { type Setup, START_MS } from '../setup.js'
import { processSeconds } from './cpu-time.js'
import { KernelSwitch, receiveOn } from './kernel-switch.js'
import { checkNetwork, GUEST_INTERFACES } from './network.js'

/** What the program says when it has begun. */
const READY = 'ready'

const MAIN = fileURLToPath(new URL('./node-tap-main.js', import.meta.url))

/**
 * Opens TAP interfaces and becomes the command, which gets the numbers of their descriptors as last arguments. Node.js
 * itself can only open the device: to say which interface is meant takes an ioctl. `TUNSETIFF` is 0x400454ca, `IFF_TAP |
 * IFF_NO_PI` is 0x1002 (linux/if_tun.h).
 */
const OPEN = `
  $^F = 255;
  for my $name (splice @ARGV, 0, 2) {
    open(my $tap, '+<', '/dev/net/tun') or die "/dev/net/tun: $!\\n";
    ioctl($tap, 0x400454ca, pack('a16Sx22', $name, 0x1002)) or die "$name: $!\\n";
    push @taps, $tap;
  }
  exec @ARGV, map { fileno($_) } @taps;
`

/** A program in Node.js, without addons, that copies frames from one TAP interface to the other. */
export class NodeTap extends KernelSwitch {
  readonly #process: BenchProcess

  constructor(setup: Setup) {
    super(setup, GUEST_INTERFACES)
    const [enter = '', ...options] = this.network.enter
    this.#process = new BenchProcess(
      'node-tap',
      enter,
      [
        ...[...options, 'taskset', '--cpu-list', String(this.cpu)],
        ...['perl', '-e', OPEN, ...GUEST_INTERFACES, process.execPath, MAIN],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env } },
    )
  }

  override get failed(): Promise<never> {
    return this.#process.failed
  }

  async started(): Promise<void> {
    const deadline = performance.now() + START_MS
    while (!this.#process.output.includes(READY)) {
      if (performance.now() > deadline)
        throw new Error(`node-tap is not ready after ${START_MS} ms:\n${this.#process.output}`)
      await Promise.race([sleep(5), this.failed])
    }
    // What it writes to one descriptor goes on in interrupts: on its own CPU, not on that of the load.
    for (const name of GUEST_INTERFACES) await receiveOn(this.network, name, this.cpu)
  }

  /** The kernel's work on a frame is done for the process, in its system calls and right after them. */
  protected override busySeconds(): number {
    return processSeconds(this.#process.pid)
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
  }
}

/** @throws Error that says what is missing */
export function checkNodeTap(): void {
  checkNetwork('tap')
  if (spawnSync('perl', ['-e', '1']).status !== 0)
    throw new Error('it needs perl, to open TAP interfaces for it: install perl')
}
