import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const SENDER = fileURLToPath(new URL('./wire-sender.js', import.meta.url))

/** Addresses of the far end and of the guest, from a range for documentation (RFC 5737). */
const FAR = '192.0.2.1'
const GUEST = '192.0.2.2'
/** Longest a command of `ip` may take. */
const LIMIT_MS = 10_000

/**
 * A wire that ends at the switch: a veth pair in a network namespace of its own, as a NIC with a traffic generator
 * behind it. What the switch needs of it is the interface {@link port} and to be started within it.
 */
export class Wire {
  /** Interface at the switch's end. */
  readonly port = 'wire0'
  readonly #namespace = `dpdk-vhost-${process.pid}`
  #sender: ChildProcess | undefined

  /** @throws Error with the words of `ip`, such as that it takes root */
  static async create(guestMac: string): Promise<Wire> {
    const wire = new Wire()
    try {
      await wire.#ip('netns', 'add', wire.#namespace)
      await wire.#within('link', 'add', wire.port, 'type', 'veth', 'peer', 'name', 'wire1')
      for (const end of [wire.port, 'wire1']) await wire.#within('link', 'set', end, 'up')
      await wire.#within('address', 'add', `${FAR}/24`, 'dev', 'wire1')
      // Frames go one way only, so nobody would answer a question for the address.
      const neighbour = ['neigh', 'add', GUEST, 'lladdr', guestMac, 'dev', 'wire1']
      await wire.#within(...neighbour, 'nud', 'permanent')
    } catch (error) {
      await wire.remove()
      throw new Error(`cannot make a veth pair: ${(error as Error).message.trim()}`)
    }
    return wire
  }

  /** Sends a small UDP datagram to the guest every `intervalMs`, until the wire is removed. */
  send(udpPort: number, intervalMs: number): void {
    const [command, ...args] = this.command(process.execPath, SENDER, GUEST, udpPort, intervalMs)
    // It ends with its input.
    this.#sender = spawn(command as string, args, { stdio: ['pipe', 'ignore', 'inherit'] })
  }

  /** A command line that runs another within the namespace; as the same process. */
  command(...words: (string | number)[]): string[] {
    return ['ip', 'netns', 'exec', this.#namespace, ...words.map(String)]
  }

  async remove(): Promise<void> {
    this.#sender?.kill('SIGKILL')
    await this.#ip('netns', 'delete', this.#namespace).catch(() => {})
  }

  async #within(...args: string[]): Promise<void> {
    await this.#ip('-n', this.#namespace, ...args)
  }

  async #ip(...args: string[]): Promise<void> {
    await run('ip', args, { timeout: LIMIT_MS })
  }
}
