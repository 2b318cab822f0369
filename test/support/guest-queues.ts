import { readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs'

const SET_VRING_ENABLE = 18
const VERSION = 1

/** Inodes of this process's sockets, by file descriptor. */
function sockets(): Map<number, string> {
  const found = new Map<number, string>()
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1]
      if (inode !== undefined) found.set(Number(fd), inode)
    } catch {
      // The folder itself was open while it was read.
    }
  }
  return found
}

/**
 * Enables and disables queues of a guest in this process while its device runs, as `ethtool -L` does in a virtual machine.
 * DPDK's driver only does so while it starts a device, so this puts the message of the vhost-user protocol on the
 * driver's own socket.
 */
export class GuestQueues {
  readonly #before = sockets()
  #fd: number | undefined

  /** @param socketPath - where the guest, added after this was made, has connected to */
  constructor(readonly socketPath: string) {}

  /** @param queue - named from the switch's side: rx is what the guest sends by */
  set(direction: 'rx' | 'tx', queue: number, enabled: boolean): void {
    this.#fd ??= this.#find()
    const vring = 2 * queue + (direction === 'rx' ? 1 : 0)
    const words = [SET_VRING_ENABLE, VERSION, 8, vring, enabled ? 1 : 0]
    writeSync(this.#fd, new Uint8Array(new Uint32Array(words).buffer))
  }

  /** Of the sockets that are new and connected, the one without the path: that is the switch's end. */
  #find(): number {
    const named = new Set(
      readFileSync('/proc/self/net/unix', 'utf8')
        .split('\n')
        .filter((line) => line.endsWith(this.socketPath))
        .map((line) => line.trim().split(/\s+/)[6]),
    )
    const found = [...sockets()].filter(
      ([fd, inode]) => this.#before.get(fd) !== inode && !named.has(inode),
    )
    const [first, ...more] = found
    if (first === undefined || more.length > 0) throw new Error(`${found.length} sockets are new`)
    return first[0]
  }
}
