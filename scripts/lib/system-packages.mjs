// What the project needs from the system, how to see that it is there, and what it is called where.
// To need one more thing, add a row.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { distribution } from './distribution.mjs'
import { kernelIsUnpacked } from './guest-kernel.mjs'
import { ovsIsThere } from './ovs.mjs'
import { prometheusIsUnpacked } from './prometheus.mjs'
import { vifPeersAreUnpacked } from './vif.mjs'

function findCommand(name) {
  // What Debian keeps in sbin is not on everybody's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** Whether the dynamic linker finds a library. */
const library = (name) => () =>
  (spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' }).stdout ?? '').includes(`\t${name} `)

const command = (name) => () => findCommand(name) !== undefined

/** A dynamic busybox, as some distributions install by default, finds no libraries in a guest. */
function staticBusybox() {
  const file = findCommand('busybox')
  return file !== undefined && !/\/ld-(linux|musl)/.test(readFileSync(file, 'latin1'))
}

/** Version of a pkg-config module, or undefined. */
export function moduleVersion(name) {
  const child = spawnSync('pkg-config', ['--modversion', name], { encoding: 'utf8' })
  return child.status === 0 ? child.stdout.trim() : undefined
}

const qemu = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
const qemuDebian = process.arch === 'arm64' ? 'qemu-system-arm' : 'qemu-system-x86'

/**
 * Group `base` is always wanted, the others by a flag of setup.mjs. A package is named per family of
 * distributions; `null` means that this family has none.
 */
export const needs = [
  {
    group: 'base',
    what: 'DPDK libraries and headers',
    present: () => moduleVersion('libdpdk') !== undefined,
    packages: {
      debian: 'libdpdk-dev',
      fedora: 'dpdk-devel',
      arch: 'dpdk',
      alpine: 'dpdk-dev',
      suse: 'dpdk-devel',
    },
  },
  {
    group: 'base',
    what: 'dpdk-testpmd, the peer of tests and benchmarks',
    present: command('dpdk-testpmd'),
    packages: {
      debian: ['dpdk', 'dpdk-dev'],
      fedora: 'dpdk',
      arch: 'dpdk',
      alpine: 'dpdk-tools',
      suse: 'dpdk',
    },
  },
  {
    group: 'base',
    what: 'ip, for interfaces in the tests',
    present: command('ip'),
    packages: {
      debian: 'iproute2',
      fedora: 'iproute',
      arch: 'iproute2',
      alpine: 'iproute2',
      suse: 'iproute2',
    },
  },
  {
    group: 'base',
    what: 'C compiler',
    present: command('gcc'),
    packages: {
      debian: 'gcc',
      fedora: 'gcc',
      arch: 'gcc',
      alpine: ['gcc', 'musl-dev'],
      suse: 'gcc',
    },
  },
  {
    group: 'base',
    what: 'C++17 compiler',
    present: command('g++'),
    packages: { debian: 'g++', fedora: 'gcc-c++', arch: 'gcc', alpine: 'g++', suse: 'gcc-c++' },
  },
  {
    group: 'base',
    what: 'cmake',
    present: command('cmake'),
    packages: { debian: 'cmake', fedora: 'cmake', arch: 'cmake', alpine: 'cmake', suse: 'cmake' },
  },
  {
    group: 'base',
    what: 'ninja',
    present: command('ninja'),
    packages: {
      debian: 'ninja-build',
      fedora: 'ninja-build',
      arch: 'ninja',
      alpine: 'samurai',
      suse: 'ninja',
    },
  },
  {
    group: 'base',
    what: 'pkg-config',
    present: command('pkg-config'),
    packages: {
      debian: 'pkg-config',
      fedora: 'pkgconf-pkg-config',
      arch: 'pkgconf',
      alpine: 'pkgconf',
      suse: 'pkgconf-pkg-config',
    },
  },
  {
    group: 'lint',
    what: 'clang-format',
    present: command('clang-format'),
    packages: {
      debian: 'clang-format',
      fedora: 'clang-tools-extra',
      arch: 'clang',
      alpine: 'clang-extra-tools',
      suse: 'clang-tools',
    },
  },
  {
    group: 'vm',
    what: 'QEMU',
    present: command(`qemu-system-${qemu}`),
    packages: {
      debian: qemuDebian,
      fedora: `qemu-system-${qemu}`,
      arch: 'qemu-base',
      alpine: `qemu-system-${qemu}`,
      suse: process.arch === 'arm64' ? 'qemu-arm' : 'qemu-x86',
    },
  },
  {
    group: 'vm',
    what: 'a static busybox for guests',
    present: staticBusybox,
    packages: {
      debian: 'busybox-static',
      fedora: 'busybox',
      arch: 'busybox',
      alpine: 'busybox-static',
      suse: 'busybox-static',
    },
  },
  {
    group: 'vm',
    what: 'ethtool, for guests to choose how many queues they use',
    present: command('ethtool'),
    packages: {
      debian: 'ethtool',
      fedora: 'ethtool',
      arch: 'ethtool',
      alpine: 'ethtool',
      suse: 'ethtool',
    },
  },
  {
    group: 'vm',
    what: 'tcpdump, to see what guests and captures got',
    present: command('tcpdump'),
    packages: {
      debian: 'tcpdump',
      fedora: 'tcpdump',
      arch: 'tcpdump',
      alpine: 'tcpdump',
      suse: 'tcpdump',
    },
  },
  {
    group: 'vm',
    what: 'tshark and capinfos, to read captures',
    present: () => command('tshark')() && command('capinfos')(),
    packages: {
      debian: ['tshark', 'wireshark-common'],
      fedora: 'wireshark-cli',
      arch: 'wireshark-cli',
      alpine: 'tshark',
      suse: 'wireshark',
    },
  },
  {
    group: 'vm',
    what: "the guests' kernel",
    present: kernelIsUnpacked,
    // Unpacked into a cache, not installed: this machine must not boot it.
    unpack: 'kernel',
    packages: {
      debian: [],
      fedora: 'kernel-core',
      arch: 'linux',
      alpine: 'linux-virt',
      suse: 'kernel-default',
    },
  },
  {
    group: 'ovs',
    what: 'libunbound, which OVS-DPDK uses',
    present: library('libunbound.so.8'),
    packages: {
      debian: 'libunbound8',
      fedora: 'unbound-libs',
      arch: 'unbound',
      alpine: 'unbound-libs',
      suse: 'libunbound8',
    },
  },
  {
    group: 'ovs',
    what: 'OVS-DPDK, which tests and benchmarks compare us with',
    present: () => ovsIsThere(distribution().family),
    // Unpacked into a cache, not installed: this machine must not run it.
    unpack: 'ovs',
    packages: { debian: [], fedora: 'openvswitch', arch: null, alpine: null, suse: 'openvswitch' },
  },
  {
    group: 'metrics',
    what: 'Prometheus and promtool, which tests have scrape a switch',
    present: () => (command('prometheus')() && command('promtool')()) || prometheusIsUnpacked(),
    // Unpacked into a cache, not installed: this machine must not run it.
    unpack: 'prometheus',
    packages: {
      debian: [],
      fedora: 'prometheus',
      arch: 'prometheus',
      alpine: 'prometheus',
      suse: 'golang-github-prometheus-prometheus',
    },
  },
  {
    group: 'metrics',
    what: 'tmux, in which tests look at vswitch top',
    present: command('tmux'),
    packages: { debian: 'tmux', fedora: 'tmux', arch: 'tmux', alpine: 'tmux', suse: 'tmux' },
  },
  {
    group: 'vif',
    what: 'Nova, Neutron, os-vif and libvirt, which tests of vswitch vif compare us with',
    present: vifPeersAreUnpacked,
    // Unpacked into a cache, not installed: this machine must not run them.
    unpack: 'vif',
    packages: { debian: [], fedora: null, arch: null, alpine: null, suse: null },
  },
  {
    group: 'vif',
    what: "the distribution's Python, which runs Nova's code",
    present: () => existsSync('/usr/bin/python3'),
    packages: {
      debian: 'python3',
      fedora: 'python3',
      arch: 'python',
      alpine: 'python3',
      suse: 'python3',
    },
  },
]

/** The rows of these groups that this machine lacks. */
export function missing(groups) {
  return needs.filter((need) => groups.includes(need.group) && !need.present())
}
