/**
 * Words of other programs for what is meant here.
 *
 * @packageDocumentation
 */
import { nearest, type Problem } from 'dpdk-vhost'

/** Kinds of objects in a configuration. */
export type Section =
  | 'top'
  | 'datapath'
  | 'lcore'
  | 'bridge'
  | 'port'
  | 'admin'
  | 'logging'
  | 'metrics'

/** What to do instead, by the key without case and separators. */
const SPELLINGS: Readonly<Record<Section, Readonly<Record<string, string>>>> = {
  top: {
    flows: 'rules belong to a bridge: bridges: [{ name: br0, flows: [...] }]',
    mirrors: 'mirrors belong to a bridge: bridges: [{ name: br0, mirrors: [...] }]',
    meters: 'meters belong to a bridge: bridges: [{ name: br0, meters: [...] }]',
    interfaces: 'did you mean ports?',
    threads: 'did you mean lcores?',
    pmds: 'did you mean lcores?',
    log: 'did you mean logging?',
    logs: 'did you mean logging?',
    api: 'did you mean admin?',
    prometheus: 'did you mean metrics?',
    memory: 'it belongs to datapath: datapath: { memory: ... }',
    mtu: 'it belongs to datapath: datapath: { mtu: ... }',
  },
  datapath: {
    dpdksocketmem: "OVS's dpdk-socket-mem is memoryMiB here",
    socketmem: 'did you mean memoryMiB?',
    dpdkextra: "OVS's dpdk-extra is ealArgs here, a list",
    lcores: 'lcores stand beside datapath, not in it',
    hugepages: 'write memory: hugepages',
  },
  lcore: {
    pmdcpumask: "OVS's pmd-cpu-mask is a cpu for each of the lcores here",
    core: 'did you mean cpu?',
    affinity: 'did you mean cpu?',
    program: 'programs belong to bridges: bridges: [{ name: br0, program: ./file.ts }]',
    data: 'programs and their data belong to bridges',
  },
  bridge: {
    macagingtime: "OVS's mac-aging-time is ageing here",
    aging: 'did you mean ageing?',
    mactablesize: "OVS's mac-table-size is tableSize here",
    ports: 'ports name their bridge: ports: [{ name: vhost0, bridge: br0, ... }]',
    rules: 'did you mean flows?',
    otherconfig:
      "OVS's other_config is no object of its own here: mac-aging-time is ageing, mac-table-size is tableSize",
    rxmirror: 'did you mean mirrors?',
    failmode:
      'leave it out: a bridge without flows switches, and one with flows does what they say',
  },
  port: {
    vhostserverpath: "OVS's vhost-server-path is path here",
    options:
      "OVS's options stand beside the others here: vhost-server-path is path, dpdk-devargs is devargs, n_rxq is rxQueues",
    otherconfig: "OVS's other_config is no object of its own here: pmd-rxq-affinity is rxAffinity",
    dpdkdevargs: "OVS's dpdk-devargs is devargs here",
    nrxq: "OVS's n_rxq is rxQueues here, of dpdk ports; a vhost-user port has queues",
    ntxq: "OVS's n_txq is txQueues here, of dpdk ports; a vhost-user port has queues",
    nrxqdesc: "OVS's n_rxq_desc is rxDescriptors here",
    ntxqdesc: "OVS's n_txq_desc is txDescriptors here",
    mturequest: "OVS's mtu_request is mtu here",
    pmdrxqaffinity: "OVS's pmd-rxq-affinity is rxAffinity here: { 0: lcore0 }",
    qos: "OVS's egress-policer is egressPolicer here: { cir, cbs }, its trtcm-policer the same with { eir, ebs }, and linux-htb egressShaper: { rate }",
    trtcmpolicer: "OVS's trtcm-policer is egressPolicer here: { cir, cbs, eir, ebs }",
    maxrate: "OVS's max-rate is the rate of egressShaper here",
    shaper: 'did you mean egressShaper?',
    cir: 'it belongs to egressPolicer: { cir, cbs }',
    cbs: 'it belongs to egressPolicer: { cir, cbs }',
    vlan: 'did you mean tag?',
    vlans: 'did you mean trunks?',
    allowedaddresspairs: "Neutron's allowed_address_pairs is portSecurity here",
    fixedips: "Neutron's fixed_ips is portSecurity here",
    socket: 'did you mean path?',
    socketpath: 'did you mean path?',
  },
  admin: { path: 'did you mean socket?', listen: 'did you mean socket?' },
  logging: { file: 'leave it out: the log goes to standard error' },
  metrics: { port: 'write listen: 127.0.0.1:9475', address: 'did you mean listen?' },
}

/** Words for values, by the key. */
const VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  level: { warn: 'warning', err: 'error', crit: 'critical', emerg: 'emergency' },
  adminState: { on: 'up', off: 'down', true: 'up', false: 'down' },
}

/** Has the fix of a key that there is not name the one that was probably meant. */
export function respell(problem: Problem, section: Section, keys: readonly string[]): Problem {
  const key = problem.path
  const meant = Object.hasOwn(VALUES, key) ? VALUES[key] : undefined
  const value = meant?.[String(problem.value)]
  if (value !== undefined) return { ...problem, fix: `did you mean ${value}?` }
  if (problem.message !== 'is not an option') return problem
  if (key.includes('.') || key.includes('[')) return problem
  const plain = key.toLowerCase().replace(/[^a-z0-9]/g, '')
  const known = Object.hasOwn(SPELLINGS[section], plain) ? SPELLINGS[section][plain] : undefined
  if (known !== undefined) return { ...problem, fix: known }
  const own = keys.filter((name) => !name.startsWith('$'))
  const near = nearest(key, own)
  const fix = near === undefined ? `the options are ${own.join(', ')}` : `did you mean ${near}?`
  return { ...problem, fix }
}
