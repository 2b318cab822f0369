/**
 * Finds and loads the addon.
 *
 * @packageDocumentation
 */

import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { NativeBindingError } from './binding-error.js'
import { diagnose } from './diagnose.js'
import { gatherLoadFacts } from './load-facts.js'
import { packageRoot } from './root.js'

const require = createRequire(import.meta.url)
const nodeGypBuild = require('node-gyp-build') as { resolve(root: string): string }

/**
 * Loads the addon: the file DPDK_VHOST_BINDING names, else this checkout's build, else the prebuilt
 * binary for this platform. A process holds one copy of it, however many threads load it.
 *
 * @throws {@link NativeBindingError}
 */
export function loadBinding(): unknown {
  const root = packageRoot()
  const chosen = process.env.DPDK_VHOST_BINDING
  let file = chosen ? resolve(chosen) : undefined
  try {
    file ??= nodeGypBuild.resolve(root)
    return require(file)
  } catch (error) {
    const cause = error as Error
    const { problem, message } = diagnose(cause, gatherLoadFacts(root, file, Boolean(chosen)))
    throw new NativeBindingError(problem, message, { cause })
  }
}
