/**
 * Finds and loads the addon.
 *
 * @packageDocumentation
 */

import { createRequire } from 'node:module'
import { packageRoot } from './root.js'

const require = createRequire(import.meta.url)

/** Loads the addon; every call and every thread of a process gets the same shared object. */
export function loadBinding(): unknown {
  const override = process.env.DPDK_VHOST_BINDING
  if (override) return require(override)
  return (require('node-gyp-build') as (root: string) => unknown)(packageRoot())
}
