import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../../src/testkit/vm/kernel-image.js'

/** Programs and data of Open vSwitch. */
export interface Ovs {
  readonly vswitchd: string
  readonly ovsdbServer: string
  readonly ovsdbTool: string
  readonly vsctl: string
  readonly ofctl: string
  readonly appctl: string
  /** Folder of the database's schema. */
  readonly data: string
  readonly version: string
}

/** Debian has a daemon with DPDK beside the one without; elsewhere one daemon may have been built with it. */
const DAEMONS = [
  'usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk',
  'usr/sbin/ovs-vswitchd',
  'usr/bin/ovs-vswitchd',
]

/**
 * OVS-DPDK as it is installed, or else as `npm run setup -- --ovs` unpacked it.
 *
 * @throws Error that says how to get it
 */
export function findOvs(roots: readonly string[] = ['/', join(cacheFolder(), 'ovs')]): Ovs {
  const troubles: string[] = []
  for (const root of roots) {
    for (const vswitchd of DAEMONS.map((daemon) => join(root, daemon)).filter(existsSync)) {
      const { stdout, stderr } = spawnSync(vswitchd, ['--version'], {
        encoding: 'utf8',
        timeout: 10_000,
        killSignal: 'SIGKILL',
      })
      const version = parseVersion(stdout ?? '')
      const bin = (name: string) =>
        ['usr/bin', 'usr/sbin'].map((folder) => join(root, folder, name)).find(existsSync)
      const [ovsdbServer, ovsdbTool] = ['ovsdb-server', 'ovsdb-tool'].map(bin)
      const [vsctl, ofctl, appctl] = ['ovs-vsctl', 'ovs-ofctl', 'ovs-appctl'].map(bin)
      if (version === undefined) {
        troubles.push(`${vswitchd} is without DPDK, or does not start: ${stderr?.trim()}`)
      } else if (ovsdbServer && ovsdbTool && vsctl && ofctl && appctl) {
        const data = join(root, 'usr/share/openvswitch')
        return { vswitchd, ovsdbServer, ovsdbTool, vsctl, ofctl, appctl, data, version }
      }
    }
  }
  throw new Error(
    [
      'OVS-DPDK is not there.',
      ...troubles,
      'On Debian and Ubuntu `npm run setup -- --ovs` unpacks the package openvswitch-switch-dpdk into a cache;',
      'elsewhere install Open vSwitch built with DPDK, or do without: --only names the other switches',
    ].join('\n'),
  )
}

/** `3.1.0, DPDK 22.11.11` from what `ovs-vswitchd --version` says; undefined when that names no DPDK. */
export function parseVersion(text: string): string | undefined {
  const [ovs] = text.match(/(?<=\(Open vSwitch\) )\S+/) ?? []
  const [dpdk] = text.match(/DPDK \d\S*/) ?? []
  return ovs !== undefined && dpdk !== undefined ? `${ovs}, ${dpdk}` : undefined
}
