import { type CommandFailed, runCommand } from '../system-command.js'
import { MigrationError } from './error.js'

const TIMEOUT_MS = 60_000

/** What a command wrote to standard output. @throws {@link MigrationError} with what it said when it failed */
export async function command(
  program: string,
  args: readonly string[],
  { input = '' } = {},
): Promise<string> {
  try {
    return await runCommand(program, args, { timeoutMs: TIMEOUT_MS, input })
  } catch (error) {
    const { message, isMissing, said, cause } = error as CommandFailed
    const lines = said
      .replaceAll(/^error: /gm, '')
      .split('\n')
      .filter(Boolean)
    const code = isMissing ? 'ERR_MIGRATION_UNREACHABLE' : 'ERR_MIGRATION_STEP'
    throw new MigrationError(code, lines.join(': ') || message, { cause })
  }
}

/** libvirt, by its command `virsh`. */
export class Virsh {
  /** @param uri - as of `virsh --connect`. Default: its own default */
  constructor(readonly uri?: string) {}

  /** Names of all domains that stay when they are stopped, and of those that do not. */
  async domains(): Promise<{ persistent: string[]; transient: string[] }> {
    const list = async (kind: string) => names(await this.#run('list', '--all', kind, '--name'))
    return { persistent: await list('--persistent'), transient: await list('--transient') }
  }

  async isRunning(domain: string): Promise<boolean> {
    return (await this.#run('domstate', domain)).trim() !== 'shut off'
  }

  /** @param which - what runs, or what the next start uses */
  xml(domain: string, which: 'live' | 'next'): Promise<string> {
    // With passwords, which libvirt would forget when it is defined without.
    return this.#run(
      'dumpxml',
      '--security-info',
      ...(which === 'next' ? ['--inactive'] : []),
      domain,
    )
  }

  async define(xml: string): Promise<void> {
    // Not over standard input: that is a socket here, and virsh opens files by name.
    const script = 'f=$(mktemp) && trap \'rm -f "$f"\' EXIT && cat >"$f" && "$@" "$f"'
    const virsh = ['virsh', ...this.#connect, '--quiet', 'define', '--validate']
    await this.#told(command('sh', ['-c', script, 'sh', ...virsh], { input: xml }))
  }

  async start(domain: string): Promise<void> {
    await this.#run('start', domain)
  }

  /** Asks the guest to end. */
  async shutdown(domain: string): Promise<void> {
    await this.#run('shutdown', domain)
  }

  /** Ends the guest as a loss of power does. */
  async destroy(domain: string): Promise<void> {
    await this.#run('destroy', domain)
  }

  get #connect(): string[] {
    return this.uri === undefined ? [] : ['--connect', this.uri]
  }

  #run(...args: readonly string[]): Promise<string> {
    return this.#told(command('virsh', [...this.#connect, '--quiet', ...args]))
  }

  async #told(result: Promise<string>): Promise<string> {
    try {
      return await result
    } catch (error) {
      const { message } = error as Error
      const fix = fixOf(message)
      if (fix === undefined) throw error
      const text = `libvirt${this.uri === undefined ? '' : ` at ${this.uri}`}: ${message}; ${fix}`
      throw new MigrationError('ERR_MIGRATION_UNREACHABLE', text, { cause: error })
    }
  }
}

function fixOf(message: string): string | undefined {
  if (/there is no virsh/.test(message)) return 'install libvirt-clients'
  if (/failed to connect|Failed to connect|no connection driver/.test(message))
    return 'start libvirtd (systemctl start libvirtd), or name another with --connect'
  if (/Domain not found|failed to get domain/.test(message))
    return '`virsh list --all` names those that there are'
  return undefined
}

/** virsh lists those that run by the time of their start. */
const names = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .sort()
