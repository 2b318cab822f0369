import type { Finding } from '../finding.js'
import { cpusOf, type Machine } from '../machine.js'
import type { Subject } from '../subject.js'
import { nodesOf } from './memory.js'

const CPUS = '/sys/devices/system/cpu'

/** Where lcores run: whether they may, and what else runs there. */
export function placement(machine: Machine, { lcores = [] }: Subject): Finding[] {
  const pinned = lcores.flatMap(({ name = 'lcore', cpu }) =>
    cpu === undefined ? [] : [{ name, cpu }],
  )
  const online = cpusOf(machine.line(`${CPUS}/online`))
  if (pinned.length === 0) {
    const seen = `${online.length} CPUs; no lcore is pinned to one`
    const why = 'the scheduler moves lcores about, which costs their caches'
    const fix = 'give each of lcores a cpu in the configuration'
    return [{ check: 'lcores', severity: lcores.length === 0 ? 'ok' : 'note', seen, why, fix }]
  }
  const allowed = cpusOf(machine.status('Cpus_allowed_list'))
  const findings: Finding[] = []
  for (const { name, cpu } of pinned) {
    const why = 'the lcore cannot be started there'
    if (!online.includes(cpu)) {
      const fix = machine.exists(`${CPUS}/cpu${cpu}`)
        ? `echo 1 | sudo tee ${CPUS}/cpu${cpu}/online`
        : `give ${name} another cpu in the configuration`
      const seen = `${name} is to run on CPU ${cpu}; online are ${machine.line(`${CPUS}/online`)}`
      findings.push({ check: 'lcores', severity: 'error', seen, why, fix })
    } else if (!allowed.includes(cpu)) {
      const seen = `${name} is to run on CPU ${cpu}; this process may use ${machine.status('Cpus_allowed_list')}`
      const fix = `taskset -c ${[...new Set(pinned.map((one) => one.cpu))].join(',')} vswitch run ...  # or AllowedCPUs= and CPUAffinity= in the systemd unit`
      findings.push({ check: 'lcores', severity: 'error', seen, why, fix })
    }
  }
  for (const [i, one] of pinned.entries()) {
    const other = pinned.slice(i + 1).find(({ cpu }) => cpu === one.cpu)
    const siblings = cpusOf(machine.line(`${CPUS}/cpu${one.cpu}/topology/thread_siblings_list`))
    const beside = pinned.slice(i + 1).find(({ cpu }) => cpu !== one.cpu && siblings.includes(cpu))
    const fix = 'give one of them another cpu in the configuration'
    if (other !== undefined) {
      const seen = `${one.name} and ${other.name} share CPU ${one.cpu}`
      const why = 'they poll in turns, milliseconds long'
      findings.push({ check: 'lcores', severity: 'error', seen, why, fix })
    }
    if (beside !== undefined) {
      const seen = `${one.name} and ${beside.name} are hardware threads of one core (CPUs ${siblings.join(', ')})`
      const why = 'together they are hardly faster than one'
      findings.push({ check: 'lcores', severity: 'warning', seen, why, fix })
    }
  }
  if (findings.length > 0) return findings
  const seen = pinned.map(({ name, cpu }) => `${name} on CPU ${cpu}`).join(', ')
  return [{ check: 'lcores', severity: 'ok', seen }]
}

/** What disturbs an lcore on its CPU: other processes, and a clock that goes down. */
export function quietness(machine: Machine, { lcores = [] }: Subject): Finding[] {
  const online = cpusOf(machine.line(`${CPUS}/online`))
  const cpus = [...new Set(lcores.flatMap(({ cpu }) => cpu ?? []))]
    .filter((cpu) => online.includes(cpu))
    .sort((a, b) => a - b)
  if (cpus.length === 0) return []
  const findings: Finding[] = []
  const isolated = cpusOf(machine.line(`${CPUS}/isolated`))
  const shared = cpus.filter((cpu) => !isolated.includes(cpu))
  if (shared.length === 0) {
    const seen = `CPUs ${cpus.join(', ')} are isolated`
    findings.push({ check: 'cpu isolation', severity: 'ok', seen })
  } else {
    // The kernel keeps the first for itself, and refuses to have it without a clock.
    const list = shared.filter((cpu) => cpu !== 0).join(',')
    const words = `isolcpus=managed_irq,domain,${list} nohz_full=${list} rcu_nocbs=${list}`
    const cpus = shared.length === 1 ? 'CPU' : 'CPUs'
    findings.push({
      check: 'cpu isolation',
      severity: 'warning',
      seen: `${cpus} ${shared.join(', ')} of lcores ${shared.length === 1 ? 'is' : 'are'} not isolated`,
      why: 'the kernel runs other processes there; meanwhile the lcore polls nothing and rings run over',
      fix: shared.includes(0)
        ? 'give lcores other CPUs than 0, which the kernel needs itself, and isolate those'
        : `echo 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT ${words}"' | sudo tee /etc/default/grub.d/vswitch.cfg && sudo update-grub && sudo reboot`,
    })
  }
  const governors = cpus.map((cpu) => ({
    cpu,
    governor: machine.line(`${CPUS}/cpu${cpu}/cpufreq/scaling_governor`),
  }))
  const slow = governors.filter(
    ({ governor }) => governor !== undefined && governor !== 'performance',
  )
  if (slow.length > 0) {
    findings.push({
      check: 'cpu governor',
      severity: 'warning',
      seen: slow.map(({ cpu, governor }) => `CPU ${cpu}: ${governor}`).join(', '),
      why: 'the clock goes down while there is little traffic, and frames wait until it is up again',
      fix: `echo performance | sudo tee ${slow.map(({ cpu }) => `${CPUS}/cpu${cpu}/cpufreq/scaling_governor`).join(' ')}`,
    })
  } else {
    const none = governors.every(({ governor }) => governor === undefined)
    const seen = none ? 'none: the kernel does not change the frequency' : 'performance'
    findings.push({ check: 'cpu governor', severity: 'ok', seen })
  }
  return findings
}

/** Nodes of memory: lcores and devices on one are near each other. */
export function numa(machine: Machine, { lcores = [], ports = [] }: Subject): Finding[] {
  const nodes = nodesOf(machine)
  if (nodes.length < 2) return [{ check: 'NUMA', severity: 'ok', seen: 'one node' }]
  const nodeOf = (cpu: number) => nodes.find(({ cpus }) => cpus.includes(cpu))?.node
  const used = [
    ...new Set(lcores.flatMap(({ cpu }) => (cpu === undefined ? [] : (nodeOf(cpu) ?? [])))),
  ]
  const findings: Finding[] = []
  const fix =
    'give lcores CPUs of one node: ' +
    nodes.map(({ node, cpus }) => `node ${node} has ${cpus.join(',')}`).join('; ')
  if (used.length > 1)
    findings.push({
      check: 'NUMA',
      severity: 'warning',
      seen: `lcores run on nodes ${used.join(' and ')}`,
      why: 'packet memory is on one of them, and the others reach across for every frame',
      fix,
    })
  for (const { name, devargs = '' } of ports) {
    const address = pciAddress(devargs)
    const node = address && machine.number(`/sys/bus/pci/devices/${address}/numa_node`)
    if (node === undefined || node === '' || node < 0 || used.length === 0 || used.includes(node))
      continue
    findings.push({
      check: 'NUMA',
      severity: 'warning',
      seen: `the device of port ${name} is on node ${node}, lcores are on ${used.join(', ')}`,
      why: 'the device writes frames across to the other node',
      fix,
    })
  }
  if (machine.line('/proc/sys/kernel/numa_balancing') === '1')
    findings.push({
      check: 'NUMA',
      severity: 'warning',
      seen: 'the kernel moves pages between nodes by itself (kernel.numa_balancing = 1)',
      why: 'it unmaps pages to see who uses them, and an lcore that touches one then waits',
      fix: 'sudo sysctl kernel.numa_balancing=0',
    })
  if (findings.length > 0) return findings
  return [
    {
      check: 'NUMA',
      severity: 'ok',
      seen: `${nodes.length} nodes, lcores on ${used.join(', ') || 'any'}`,
    },
  ]
}

/** The PCI address that a port's device has, if it is one on that bus. */
export function pciAddress(devargs: string): string | undefined {
  return /^(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?=,|$)/i
    .exec(devargs)?.[0]
    ?.replace(/^(?=..:)/, '0000:')
}
