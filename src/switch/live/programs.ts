import { access, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { ConfigError, DatapathError } from 'dpdk-vhost'
import type { ProgramSpec } from '../spec.js'
import type { Bridges, LoadedProgram } from './bridges.js'
import { ProgramBundler } from './program-bundle.js'

/** The programs of users: loads them into bridges, and knows how they do. */
export class Programs implements Disposable {
  readonly #bundler = new ProgramBundler()
  readonly #bridges: Bridges
  /** Bridges whose program was loaded or unloaded by hand since the file last said something else. */
  readonly #byHand = new Set<string>()
  #loads = 0

  constructor(bridges: Bridges) {
    this.#bridges = bridges
  }

  /** @throws ConfigError for a file that is none or does not compile */
  async bundle({ file, data }: ProgramSpec): Promise<LoadedProgram> {
    await checkFile(file)
    const { url } = await this.#bundler.bundle(file)
    // Lcores go on with a program of the same address; one that is loaded again begins anew, with a clean record.
    const load = ++this.#loads
    return { file, data, content: url, url: `${url}?load=${load}`, loadedAt: Date.now() }
  }

  /**
   * Loads a program by hand, or unloads the one there is.
   *
   * @param look - looks how it does; when it rejects, what was there before comes back
   */
  async setByHand(
    bridge: string,
    program: ProgramSpec | undefined,
    look: () => Promise<void> = async () => {},
  ): Promise<void> {
    const { program: before } = this.#bridges.get(bridge)
    await this.#set(bridge, program && (await this.bundle(program)))
    try {
      await look()
    } catch (error) {
      // Whatever comes of it, the first error is the one to be told.
      await this.#bridges.setProgram(bridge, before, true).catch(() => {})
      throw error
    }
    this.#byHand.add(bridge)
  }

  /** Makes what the file says true, whatever was done by hand. */
  async setByFile(bridge: string, program: ProgramSpec | undefined): Promise<void> {
    await this.#set(bridge, program && (await this.bundle(program)))
    this.#byHand.delete(bridge)
  }

  /** Loads the program of the file again if its text has changed. Returns whether it had. */
  async refresh(bridge: string): Promise<boolean> {
    const { program } = this.#bridges.get(bridge)
    if (program === undefined || this.#byHand.has(bridge)) return false
    const fresh = await this.bundle(program)
    if (fresh.content === program.content) return false
    await this.#set(bridge, fresh)
    return true
  }

  forget(bridge: string): void {
    this.#byHand.delete(bridge)
  }

  [Symbol.dispose](): void {
    this.#bundler[Symbol.dispose]()
  }

  async #set(bridge: string, program: LoadedProgram | undefined): Promise<void> {
    try {
      await this.#bridges.setProgram(bridge, program)
    } catch (error) {
      throw program === undefined ? error : refusal(program, error)
    }
  }
}

/** What an lcore says of a program that it could not load, with the line of the user's file where that is known. */
function refusal({ file, url }: LoadedProgram, error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const stack = error.stack ?? ''
  const at = stack.indexOf(`${file}:`)
  const place = at < 0 ? '' : (/^:\d+:\d+/.exec(stack.slice(at + file.length))?.[0] ?? '')
  const message = `program ${file}${place}: ${error.message.replaceAll(url, 'it')}`
  return new DatapathError('ERR_PROGRAM', message, { cause: error })
}

async function checkFile(file: string): Promise<void> {
  const refuse = (message: string, fix: string) => {
    throw new ConfigError('program', [{ path: 'file', value: file, message, fix }])
  }
  if (!isAbsolute(file)) refuse('is a relative path', 'give an absolute one')
  const fix = 'give the path of a TypeScript or JavaScript file'
  await access(file).catch(() => refuse('cannot be read', fix))
  // To read a pipe may take for ever, and other changes wait for this one.
  if (!(await stat(file)).isFile()) refuse('is no file', fix)
}
