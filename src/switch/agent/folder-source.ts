import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Binding, BindingSource, Bindings, Unusable } from './binding.js'
import { neutronBinding, vifBinding } from './port-options.js'

/** Longest file of a port, in bytes. */
const MAX_LENGTH = 1024 * 1024

/**
 * A folder with a file a port, `NAME.json`. Files come by being renamed into it, so that none is ever half there; names that
 * begin with a dot are left alone.
 *
 * It is read again and again: events of a folder tell nothing of links on the way to it, nor of another machine's disk.
 */
export class FolderSource implements BindingSource {
  readonly name: string

  constructor(readonly folder: string) {
    this.name = `folder ${folder}`
  }

  async read(): Promise<Bindings> {
    const names = (await readdir(this.folder)).filter((name) => /^[^.].*\.json$/.test(name))
    const ports: Binding[] = []
    const unusable: Unusable[] = []
    for (const file of names.sort()) {
      const key = file.slice(0, -'.json'.length)
      try {
        ports.push(parsePortFile(key, await readFile(join(this.folder, file), 'utf8')))
      } catch (error) {
        // Removed since the folder was listed: then it is not there.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
        unusable.push({ key, error: `${file}: ${(error as Error).message}` })
      }
    }
    return { ports, unusable }
  }
}

/**
 * Reads a file: a port of Neutron, `{ port, network?, qos_policy?, switch? }`, or a description of `vswitch vif parse --json` with one
 * port.
 *
 * @throws Error naming what is wrong, and the fix
 */
export function parsePortFile(key: string, text: string): Binding {
  if (text.length > MAX_LENGTH) throw new Error(`is longer than ${MAX_LENGTH} bytes; give one port`)
  const document = parseObject(text)
  if (Array.isArray(document.vifs)) {
    const [vif, ...others] = document.vifs as object[]
    if (vif === undefined || others.length > 0) {
      throw new Error(`vifs has ${document.vifs.length} ports; give a file for each`)
    }
    return vifBinding(key, { ...vif, switch: document.switch })
  }
  if ('socket' in document) return vifBinding(key, document)
  return neutronBinding(key, 'port' in document ? document : { port: document })
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const fix = 'write the file beside it and rename it, so that it is never half there'
    throw new Error(`is no JSON: ${(error as Error).message}; ${fix}`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as never
  throw new Error("is no object; give a port of Neutron, or what 'vswitch vif parse --json' prints")
}
