// OVS-DPDK for tests and benchmarks, unpacked from distribution packages into a cache: installing them would start
// a switch of the machine's own, now and at every boot. The layout is a contract with bench/ovs/find.ts.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, unpackPackages } from './unpack.mjs'

const DAEMON = 'usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk'

const ovsFolder = () => join(cacheFolder(), 'ovs')

/** Whether it is unpacked, or installed; on other distributions than Debian's the daemon may be built with DPDK. */
export function ovsIsThere(family) {
  if (existsSync(join('/', DAEMON)) || existsSync(join(ovsFolder(), DAEMON))) return true
  return family !== 'debian' && existsSync('/usr/sbin/ovs-vswitchd')
}

export function unpackOvs() {
  unpackPackages(['openvswitch-common', 'openvswitch-switch', 'openvswitch-switch-dpdk'], 'ovs')
  return ovsFolder()
}
