import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BenchProcess } from '../../../bench/process.js'
import { cacheFolder } from '../../../src/testkit/vm/kernel-image.js'
import { socketFolder } from '../../support/loopback.js'
import { noPeers } from '../peers.js'

const INIT = fileURLToPath(new URL('../../../../test/vif/stage/machine.sh', import.meta.url))

/** A machine ends after so long, whatever happens. */
const LIFETIME_S = 600
/** A command in it ends after so long. */
const COMMAND_MS = 90_000

/** How a command ended. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * A compute node for tests: processes, network, `/usr`, `/etc`, `/var` and `/run` of its own, with libvirt, and
 * OVS if wanted, installed. What runs on this machine is neither used nor seen. All in it ends with it, and it ends with this process.
 */
export class Machine implements AsyncDisposable {
  /** A folder that both see: `/tmp` is the only one that both can write to. */
  readonly folder: string
  readonly #shared: ReturnType<typeof socketFolder>
  readonly #process: BenchProcess
  readonly #daemons = new Set<BenchProcess>()
  #enter: readonly string[] = []

  /** @param ovs - whether it has OVS; libvirt asks it for each port, and waits long for one that does not run */
  static async start({ ovs = false } = {}): Promise<Machine> {
    const machine = new Machine(ovs ? ['vif', 'ovs'] : ['vif'])
    try {
      await machine.#started()
      return machine
    } catch (error) {
      await machine[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(packages: readonly string[]) {
    this.#shared = socketFolder()
    this.folder = this.#shared.path
    chmodSync(this.folder, 0o755)
    const work = join(this.folder, 'written')
    mkdirSync(work)
    const namespaces = ['--mount', '--pid', '--net', '--ipc', '--fork', '--mount-proc']
    this.#process = new BenchProcess(
      'machine',
      'timeout',
      [
        ...['--kill-after=5', String(LIFETIME_S), 'setpriv', '--pdeathsig', 'KILL'],
        // The first process of a namespace takes all others along when it ends.
        ...['unshare', ...namespaces, '--kill-child=KILL', 'bash', INIT],
        ...[cacheFolder(), work, ...packages],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
  }

  async #started(): Promise<void> {
    const { stdout } = this.#process.child
    while (!this.#process.output.includes('ready\n')) {
      await Promise.race([once(stdout as NodeJS.ReadableStream, 'data'), this.#process.failed])
    }
    // timeout, unshare, and below it the first process of the machine.
    const first = [0, 1].reduce(childOf, this.#process.pid)
    this.#enter = ['nsenter', `--target=${first}`, '--mount', '--pid', '--net', '--ipc', '--']
  }

  /** Runs a program in it to its end. */
  run(program: string, args: readonly string[] = [], input = ''): Outcome {
    const [command = '', ...rest] = [...this.#enter, program, ...args]
    const { status, stdout, stderr, error } = spawnSync(command, rest, {
      input,
      encoding: 'utf8',
      timeout: COMMAND_MS,
      killSignal: 'SIGKILL',
    })
    if (error !== undefined) throw new Error(`${program} ${args.join(' ')}: ${error.message}`)
    return { code: status, stdout, stderr }
  }

  /**
   * The same; what it wrote to standard output.
   *
   * @throws Error with what it wrote, when it failed
   */
  must(program: string, ...args: readonly string[]): string {
    const { code, stdout, stderr } = this.run(program, args)
    if (code === 0) return stdout
    throw new Error(`${[program, ...args].join(' ')}: ${code}\n${stderr}\n${stdout}`)
  }

  /** Starts a program that goes on, with the environment of this process. */
  daemon(program: string, ...args: readonly string[]): BenchProcess {
    const [command = '', ...rest] = [...this.#enter, 'setpriv', '--pdeathsig', 'KILL', program]
    const stdio = ['ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[]
    const daemon = new BenchProcess(program, command, [...rest, ...args], { stdio })
    this.#daemons.add(daemon)
    return daemon
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
    await Promise.all([...this.#daemons].map((daemon) => daemon[Symbol.asyncDispose]()))
    this.#shared[Symbol.dispose]()
  }
}

function childOf(pid: number): number {
  return Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10)
}

/** Why there can be no machine here; false if there can. */
export function noMachine(): string | false {
  if (noPeers !== false) return noPeers
  if (process.getuid?.() !== 0) return 'needs root: libvirt runs in namespaces of its own'
  const { status } = spawnSync('unshare', ['--mount', '--pid', '--net', '--fork', 'true'])
  return status === 0 ? false : 'needs namespaces of its own, which this machine does not allow'
}
