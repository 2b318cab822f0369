import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { GUEST_MACS } from '../frames.js'
import { BenchProcess } from '../process.js'
import { interruptThread } from './cpu-time.js'

const run = promisify(execFile)

/** How long the interfaces, or a command, may take. */
const LIMIT_MS = 10_000

/** Interfaces that the two guests send to and receive from. */
export const GUEST_INTERFACES = ['guesta', 'guestb'] as const

/** Where what they send comes out of a veth pair. */
export const PORT_INTERFACES = ['porta', 'portb'] as const

/** `veth`: each is one end of a pair; `tap`: what comes in there is for who holds its descriptor. */
export type InterfaceKind = 'veth' | 'tap'

const READY = 'ready'

/**
 * A network namespace with interfaces for two guests. It is that of a process which dies with the bench, however the bench
 * dies, and so are all that enter it: with the last of them the kernel removes the namespace and what is in it.
 */
export class Network implements AsyncDisposable {
  readonly #holder: BenchProcess

  private constructor(holder: BenchProcess) {
    this.#holder = holder
  }

  static async create(kind: InterfaceKind): Promise<Network> {
    const script = [...COMMON, ...INTERFACES[kind], `echo ${READY}`, 'exec sleep infinity']
    const holder = new BenchProcess(
      'network namespace',
      'unshare',
      ['--net', '--mount', 'sh', '-ec', script.join('\n')],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    try {
      const deadline = performance.now() + LIMIT_MS
      while (!holder.output.includes(READY)) {
        if (performance.now() > deadline) throw new Error(`no interfaces after ${LIMIT_MS} ms`)
        await Promise.race([sleep(5), holder.failed])
      }
      return new Network(holder)
    } catch (error) {
      await holder[Symbol.asyncDispose]()
      throw error
    }
  }

  /** What goes before a command that is to run inside. It becomes that command, in the same process. */
  get enter(): readonly string[] {
    const { pid } = this.#holder
    return ['nsenter', `--net=/proc/${pid}/ns/net`, `--mount=/proc/${pid}/ns/mnt`]
  }

  /** Runs a command inside; resolves to what it printed. */
  async run(command: string, ...args: string[]): Promise<string> {
    const [nsenter = '', ...options] = this.enter
    const limits = { timeout: LIMIT_MS, killSignal: 'SIGKILL' } as const
    return (await run(nsenter, [...options, command, ...args], limits)).stdout
  }

  /** Gives the guests' interfaces addresses. */
  async setAddresses(macs: readonly [string, string]): Promise<void> {
    for (const [i, name] of GUEST_INTERFACES.entries())
      await this.run('ip', 'link', 'set', 'dev', name, 'address', macs[i] as string)
  }

  /** Frames that went through an interface, as the kernel counts them. */
  async counters(name: string): Promise<InterfaceCounters> {
    const [link] = JSON.parse(await this.run('ip', '-j', '-s', 'link', 'show', name)) as LinkJson[]
    if (link === undefined) throw new Error(`ip shows no interface ${name}`)
    const { rx, tx } = link.stats64
    return {
      received: rx.packets,
      sent: tx.packets,
      dropped: rx.dropped + rx.errors + tx.dropped + tx.errors,
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#holder[Symbol.asyncDispose]()
  }
}

export interface InterfaceCounters {
  readonly received: number
  readonly sent: number
  readonly dropped: number
}

/** A link as `ip -j -s link` prints it. */
interface LinkJson {
  readonly stats64: Readonly<
    Record<'rx' | 'tx', { packets: number; dropped: number; errors: number }>
  >
}

/** The kernel is to send nothing of its own, and its files are to be those of this namespace. */
const COMMON = [
  'ipv6=/proc/sys/net/ipv6/conf/default/disable_ipv6',
  '[ ! -e $ipv6 ] || echo 1 > $ipv6',
  'mount -t sysfs none /sys',
]

/** As many frames as may be under way: a TAP device drops what its queue does not hold. */
const QUEUE = 4096

const INTERFACES: Record<InterfaceKind, string[]> = {
  veth: [0, 1].flatMap((i) => [
    `ip link add name ${GUEST_INTERFACES[i]} address ${GUEST_MACS[i]} type veth peer name ${PORT_INTERFACES[i]}`,
    `ip link set dev ${PORT_INTERFACES[i]} up`,
    `ip link set dev ${GUEST_INTERFACES[i]} up`,
  ]),
  tap: GUEST_INTERFACES.flatMap((name, i) => [
    `ip tuntap add dev ${name} mode tap`,
    `ip link set dev ${name} address ${GUEST_MACS[i]} txqueuelen ${QUEUE} up`,
  ]),
}

/** Without it nobody can say on which CPU the kernel forwards. */
const STEERED = [
  `[ -w /sys/class/net/${GUEST_INTERFACES[0]}/queues/rx-0/rps_cpus ] ||`,
  '{ echo "the kernel is built without CONFIG_RPS" >&2; exit 1; }',
].join(' ')

/** @throws Error that says what is missing for interfaces of this kind */
export function checkNetwork(kind: InterfaceKind): void {
  if (process.getuid?.() !== 0) throw new Error('it needs root, for a network namespace')
  interruptThread(0)
  if (kind === 'tap' && !existsSync('/dev/net/tun')) {
    throw new Error('it needs /dev/net/tun: load the kernel module tun')
  }
  const script = [...COMMON, ...INTERFACES[kind], STEERED].join('\n')
  const { status, stderr, error } = spawnSync(
    'unshare',
    ['--net', '--mount', 'sh', '-ec', script],
    {
      encoding: 'utf8',
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    },
  )
  if (status === 0) return
  const why = error?.message ?? stderr.trim()
  throw new Error(`${kind} interfaces in a network namespace cannot be made here: ${why}`)
}
