// Installs the system packages this project needs. See --help.

import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { distribution } from './lib/distribution.mjs'
import { unpackKernel } from './lib/guest-kernel.mjs'
import { unpackOvs } from './lib/ovs.mjs'
import { unpackPrometheus } from './lib/prometheus.mjs'
import { fail, say, step } from './lib/step.mjs'
import { missing, needs } from './lib/system-packages.mjs'
import { unpackVifPeers } from './lib/vif.mjs'

const help = `Usage: npm run setup -- [options]

Installs the Debian or Ubuntu packages that building and testing need and this machine lacks.
On another distribution it only says which packages to install.

  --lint    also what \`npm run lint\` needs
  --bench   also what \`npm run bench\` needs
  --ovs     also what comparing with OVS-DPDK needs, in tests and benchmarks; it is unpacked into
            \${XDG_CACHE_HOME:-~/.cache}/dpdk-vhost/ovs and not installed
  --vm      also what tests with virtual machines need; the guests' kernel is unpacked into
            \${XDG_CACHE_HOME:-~/.cache}/dpdk-vhost/kernel and not installed
  --metrics also what tests of metrics and of the view top need; Prometheus is unpacked into
            \${XDG_CACHE_HOME:-~/.cache}/dpdk-vhost/prometheus and not installed
  --vif     also what tests of \`vswitch vif\` compare with: Nova, Neutron, os-vif and libvirt are unpacked into
            \${XDG_CACHE_HOME:-~/.cache}/dpdk-vhost/vif, OVS as by --ovs, and none is installed
  --check   only say what is missing; exit code 1 if anything is
  --help    this text`

const installers = {
  fedora: 'dnf install',
  arch: 'pacman -S',
  alpine: 'apk add',
  suse: 'zypper install',
}

const isRoot = process.getuid() === 0
const flags = readFlags()

if (flags.help) {
  console.log(help)
  process.exit()
}

if (flags.vif) flags.ovs = true

const groups = [
  'base',
  ...['lint', 'bench', 'ovs', 'vm', 'metrics', 'vif'].filter((group) => flags[group]),
]
const system = distribution()
const lacking = missing(groups)

if (lacking.length === 0) {
  const count = needs.filter((need) => groups.includes(need.group)).length
  say(`setup: nothing to do, all ${count} things needed are there (${groups.join(', ')})`)
} else {
  say(`setup: missing on ${system.name}:`)
  for (const need of lacking) say(`  ${need.what}`)
  if (system.family !== 'debian') fail(adviceForOthers())
  if (flags.check) fail(`Install all of it with: npm run setup${restOfCommand()}`)
  install()
}

function readFlags() {
  const known = ['lint', 'bench', 'ovs', 'vm', 'metrics', 'vif', 'check', 'help']
  try {
    return parseArgs({
      options: Object.fromEntries(known.map((flag) => [flag, { type: 'boolean', default: false }])),
    }).values
  } catch (error) {
    fail(`${error.message}\n\n${help}`)
  }
}

function packagesFor(family) {
  return [...new Set(lacking.flatMap((need) => need.packages[family] ?? []))]
}

function restOfCommand() {
  const asked = groups.slice(1).map((group) => `--${group}`)
  return asked.length > 0 ? ` -- ${asked.join(' ')}` : ''
}

function adviceForOthers() {
  if (system.family) {
    return `Only Debian and Ubuntu are set up automatically. On ${system.name} run, as root:
  ${installers[system.family]} ${packagesFor(system.family).join(' ')}
(names to the best of our knowledge), then start again.`
  }
  return `This distribution is not known to us. What Debian calls the missing packages:
  ${packagesFor('debian').join(' ')}`
}

function install() {
  const packages = packagesFor('debian')
  if (packages.length > 0 && !canBecomeRoot()) {
    fail(`Not root, and there is no sudo. As root, run:
  apt-get update && apt-get install ${packages.join(' ')}`)
  }
  // The index of a fresh machine may be empty or stale, for the kernel's download too; failing to refresh it need not
  // be fatal.
  if (canBecomeRoot()) {
    asRoot('refreshing the package index', ['apt-get', '-q', 'update'], { optional: true })
  }
  if (packages.length > 0) {
    asRoot(`installing ${packages.join(' ')}`, [
      'apt-get',
      ...['-q', '-y', '--no-install-recommends'],
      // Never stop to ask about a configuration file; wait while another apt runs.
      ...['-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold'],
      ...['-o', 'DPkg::Lock::Timeout=300'],
      'install',
      ...packages,
    ])
  }
  if (lacking.some((need) => need.unpack === 'kernel')) {
    say(`setup: the guests' kernel is in ${unpackKernel(system.id)}`)
  }
  if (lacking.some((need) => need.unpack === 'ovs')) say(`setup: OVS-DPDK is in ${unpackOvs()}`)
  if (lacking.some((need) => need.unpack === 'prometheus')) {
    say(`setup: Prometheus is in ${unpackPrometheus()}`)
  }
  if (lacking.some((need) => need.unpack === 'vif')) {
    say(`setup: Nova, Neutron, os-vif and libvirt are in ${unpackVifPeers()}`)
  }
  const still = missing(groups)
  if (still.length > 0) {
    fail(
      `Installed ${packages.join(' ')}, but still missing: ${still.map((need) => need.what).join(', ')}`,
    )
  }
  if (packages.length > 0) say(`setup: installed ${packages.join(' ')}`)
}

function canBecomeRoot() {
  return isRoot || spawnSync('sudo', ['-V'], { stdio: 'ignore' }).error === undefined
}

function asRoot(title, command, options = {}) {
  const full = ['env', 'DEBIAN_FRONTEND=noninteractive', ...command]
  // Without a terminal a password cannot be asked for: fail at once instead of waiting.
  if (!isRoot) full.unshift('sudo', ...(process.stdin.isTTY ? [] : ['-n']))
  const [program, ...args] = full
  step(title, program, args, {
    // A terminal, if there is one, for sudo's question.
    stdio: ['inherit', 'pipe', 'pipe'],
    ...options,
  })
}
