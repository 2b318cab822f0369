/**
 * Finds and loads the addon.
 *
 * @packageDocumentation
 */

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { NativeBindingError } from './binding-error.js'
import { diagnose } from './diagnose.js'
import { gatherLoadFacts } from './load-facts.js'
import { packageRoot } from './root.js'

const require = createRequire(import.meta.url)

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
    file ??= ownBuild(root) ?? search(root)
    return require(file)
  } catch (error) {
    const cause = error as Error
    const { problem, message } = diagnose(cause, gatherLoadFacts(root, file, Boolean(chosen)))
    throw new NativeBindingError(problem, message, { cause })
  }
}

/** What node-gyp-build finds first. Looking for it takes every thread 2 ms less than loading who looks for it. */
function ownBuild(root: string): string | undefined {
  const { PREBUILDS_ONLY, DPDK_VHOST_PREBUILD } = process.env
  const file = join(root, 'build/Release/dpdk_vhost.node')
  return !PREBUILDS_ONLY && !DPDK_VHOST_PREBUILD && existsSync(file) ? file : undefined
}

function search(root: string): string {
  const { resolve } = require('node-gyp-build') as { resolve(root: string): string }
  return resolve(root)
}
