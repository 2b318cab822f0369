// Prometheus for tests, unpacked from a distribution package into a cache: installing it would start a server of the
// machine's own, now and at every boot. The layout is a contract with test/support/prometheus.ts.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, unpackPackages } from './unpack.mjs'

const folder = () => join(cacheFolder(), 'prometheus')

export function prometheusIsUnpacked() {
  return ['prometheus', 'promtool'].every((name) => existsSync(join(folder(), 'usr/bin', name)))
}

export function unpackPrometheus() {
  unpackPackages(['prometheus'], 'prometheus')
  return folder()
}
