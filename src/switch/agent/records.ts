import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BindingState } from './binding.js'

/** What the agent remembers of a port: what people may read, and what it has to know after a restart. */
export interface PortRecord extends BindingState {
  /** What the switch was told last; undefined: it has no port of this. */
  readonly options?: Readonly<Record<string, unknown>>
}

/** A folder of state files, one a binding: the record of which ports of the switch are the agent's. */
export class Records {
  readonly #records = new Map<string, PortRecord>()

  private constructor(readonly folder: string) {}

  /**
   * Reads what is there, and makes the folder where it is missing.
   *
   * @throws Error when a file is not ours
   */
  static async open(folder: string): Promise<Records> {
    await mkdir(folder, { recursive: true })
    const records = new Records(folder)
    for (const file of await readdir(folder)) {
      if (!/^[^.].*\.json$/.test(file)) continue
      const record = parseRecord(await readFile(join(folder, file), 'utf8'))
      if (record === undefined) {
        const fix = 'remove it, or give another --state folder'
        throw new Error(`${join(folder, file)} is no state of a port; ${fix}`)
      }
      records.#records.set(record.key, record)
    }
    return records
  }

  get(key: string): PortRecord | undefined {
    return this.#records.get(key)
  }

  values(): PortRecord[] {
    return [...this.#records.values()]
  }

  /** On disk before this resolves, whole or not at all. */
  async put(record: PortRecord): Promise<void> {
    const path = this.#path(record.key)
    const temporary = `${this.folder}/.${encodeURIComponent(record.key)}.${process.pid}`
    try {
      const file = await open(temporary, 'w', 0o644)
      try {
        await file.writeFile(`${JSON.stringify(record, undefined, 2)}\n`)
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    this.#records.set(record.key, record)
  }

  async delete(key: string): Promise<void> {
    await rm(this.#path(key), { force: true })
    this.#records.delete(key)
  }

  #path(key: string): string {
    return join(this.folder, `${encodeURIComponent(key)}.json`)
  }
}

function parseRecord(text: string): PortRecord | undefined {
  try {
    const record = JSON.parse(text) as PortRecord
    const isOne = typeof record.key === 'string' && typeof record.port === 'string'
    return isOne ? record : undefined
  } catch {
    return undefined
  }
}
