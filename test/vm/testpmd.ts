/**
 * DPDK's own test program as the switch between two vhost-user sockets: what comes in at one goes out at the other.
 *
 * @packageDocumentation
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

export interface TestpmdOptions {
  /** testpmd's side of the sockets. Default `client`. */
  readonly role?: 'client' | 'server'
  readonly queues?: number
  readonly mtu?: number
}

const ETHERNET_BYTES = 18

export class Testpmd implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  constructor(sockets: readonly [string, string], options: TestpmdOptions = {}) {
    const { role = 'client', queues = 1, mtu = 1500 } = options
    const client = role === 'client' ? 1 : 0
    this.#child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', 'dpdk-testpmd'],
        // It needs two lcores, which may share a processor.
        ...['--lcores', `(0,1)@(0-${availableParallelism() - 1})`],
        ...['--no-huge', '--no-shconf', '--no-pci', '-m', '256'],
        ...sockets.flatMap((path, i) => [
          '--vdev',
          `net_vhost${i},iface=${path},client=${client},queues=${queues}`,
        ]),
        '--',
        ...['--forward-mode=io', '--auto-start', '--no-mlockall'],
        ...['--total-num-mbufs=8192', `--rxq=${queues}`, `--txq=${queues}`],
        ...[`--max-pkt-len=${mtu + ETHERNET_BYTES}`, '--mbuf-size=10240'],
      ],
      // It ends at the end of its input: the pipe stays open.
      { stdio: ['pipe', 'ignore', 'ignore'] },
    )
    this.#ended = once(this.#child, 'exit')
  }

  /** Ends it the hard way: no message reaches QEMU. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
