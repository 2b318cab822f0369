// Which test files may run beside others: those that start nothing that polls, share nothing with other processes (ports,
// namespaces, hugepages), look at no garbage, whose measure is compilers that are in time, and let no Workers race, for which
// they need all CPUs. A file that is not named runs alone, which is never wrong.

/** Beginnings of paths below dist/test. */
export const BESIDE = [
  ...['compare', 'costs', 'gc', 'page', 'parts', 'published', 'search', 'short-slices'].map(
    (name) => `bench/${name}.`,
  ),
  ...['side-by-side', 'slices'].map((name) => `bench/${name}.`),
  'capture/rings.',
  'config/',
  'datapath/assign.',
  ...['equality', 'format', 'meters', 'ofctl', 'table'].map((name) => `flows/${name}.`),
  'headers/',
  'metrics/text.',
  ...['diagnose', 'glue', 'load', 'runner', 'setup', 'tarball'].map((name) => `package/${name}.`),
  ...['cross-connect', 'learning-switch', 'sub-burst'].map((name) => `programs/${name}.`),
  'qos/policer.',
  ...['admin-server', 'metrics-server', 'socket-file'].map((name) => `switch/admin/${name}.`),
  ...['failures', 'http', 'neutron'].map((name) => `switch/agent/${name}.`),
  ...['bridge', 'vlan'].map((name) => `switch/bridge/${name}.`),
  ...['arguments', 'text', 'usage', 'vif'].map((name) => `switch/cli/${name}.`),
  'switch/config/',
  ...['guards', 'port-security'].map((name) => `switch/guards/${name}.`),
  'switch/imports.',
  'switch/lcore/program.',
  ...['log', 'program-bundle', 'serial', 'settled'].map((name) => `switch/live/${name}.`),
  'switch/service/watchdog.',
  'testkit/numbered-frames.',
  ...['errors', 'libvirt', 'nova', 'ovs-show', 'ovsdb', 'round-trip'].map((name) => `vif/${name}.`),
  'vif/inspect/findings.',
]

/** @param {string} file path of a compiled test file, from the root of the checkout */
export function isBeside(file) {
  const name = file.replace(/^dist\/test\//, '')
  return BESIDE.some((beginning) => name.startsWith(beginning))
}
