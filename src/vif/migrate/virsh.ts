import { execFile } from 'node:child_process'
import { MigrationError } from './error.js'

/** What a command wrote to standard output. @throws Error with what it said when it failed */
export function command(
  program: string,
  args: readonly string[],
  { input = '', timeoutMs = 60_000 } = {},
): Promise<string> {
  const options = {
    encoding: 'utf8',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
    // What it says is read.
    env: { ...process.env, LC_ALL: 'C' },
  } as const
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      const said = stderr
        .trim()
        .replaceAll(/^error: /gm, '')
        .split('\n')
        .filter(Boolean)
        .join(': ')
      const isMissing = error.code === 'ENOENT'
      const late = error.killed ? `no answer within ${timeoutMs / 1000} s` : ''
      const message = isMissing ? `there is no ${program}` : late || said || error.message
      const code = isMissing ? 'ERR_MIGRATION_UNREACHABLE' : 'ERR_MIGRATION_STEP'
      reject(new MigrationError(code, message, { cause: error }))
    })
    child.stdin?.on('error', () => {}).end(input)
  })
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
