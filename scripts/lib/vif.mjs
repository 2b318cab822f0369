// Nova, Neutron, os-vif and libvirt for tests, unpacked from distribution packages into a cache: installing them would
// start daemons of the machine's own. The layout is a contract with test/vif/peers.ts.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, unpackPackages } from './unpack.mjs'

const folder = () => join(cacheFolder(), 'vif')

const WANTED = [
  'python3-nova',
  'python3-neutron',
  'neutron-common',
  'python3-os-vif',
  'libvirt-clients',
  'libvirt-daemon',
  'libvirt-daemon-driver-qemu',
  'libxml2-utils',
]

/** What they depend on for storage, databases and other things that a port has nothing to do with. */
const UNUSED =
  /rados|rbd|rgw|ceph|mariadb|mysql-common|numpy|^sudo$|open-iscsi|libboost|mypy|blas|lapack|gfortran|grpcio|rdkafka|confluent/

const PARTS = ['nova', 'neutron', 'os_vif', 'vif_plug_ovs']
  .map((name) => `usr/lib/python3/dist-packages/${name}`)
  .concat('usr/sbin/libvirtd', 'usr/bin/virsh', 'usr/bin/xmllint')
  .concat('usr/share/libvirt/schemas/domain.rng')

export function vifPeersAreUnpacked() {
  return PARTS.every((part) => existsSync(join(folder(), part)))
}

export function unpackVifPeers() {
  const { stdout } = spawnSync(
    'apt-get',
    ['--simulate', '--no-install-recommends', 'install', ...WANTED],
    { encoding: 'utf8' },
  )
  const packages = Array.from(stdout.matchAll(/^Inst (\S+)/gm), ([, name]) => name)
  unpackPackages(
    // What is installed is not listed, and wanted all the same.
    [...new Set([...WANTED, ...packages])].filter((name) => !UNUSED.test(name)),
    'vif',
  )
  return folder()
}
