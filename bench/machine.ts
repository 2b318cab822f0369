import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { binding } from '../src/native/binding.js'
import { packageRoot } from '../src/native/root.js'
import { siblingsOf } from './cpus.js'
import { hugepages, type Memory } from './memory.js'
import { findOvs } from './ovs/find.js'
import type { Cpus } from './setup.js'

/** What one has to know to repeat the numbers, or to explain why one's own differ. */
export interface Machine {
  readonly cpu: string
  readonly cpus: number
  /** Whether it is a virtual machine itself. */
  readonly virtual: boolean
  readonly switchCpu: number
  readonly generatorCpu: number
  /** Hardware threads that share a core with the switch's and the generator's, themselves included. */
  readonly siblings: readonly [readonly number[], readonly number[]]
  /** Nodes of memory that the two CPUs belong to. */
  readonly numaNodes: readonly [number | undefined, number | undefined]
  /** Whether cores have several hardware threads in use, where the kernel tells. */
  readonly smt: boolean | undefined
  /** Frequency governor, where the kernel has one. */
  readonly governor: string | undefined
  /** Clock of the two CPUs at the start, where the kernel tells. */
  readonly mhz: readonly [number | undefined, number | undefined]
  /** Whether they may go beyond their nominal clock, where the kernel tells. */
  readonly boost: boolean | undefined
  /** CPUs that the kernel keeps other threads away from. */
  readonly isolated: string
  /** CPUs' worth of time that the control group may use, where there is a limit. */
  readonly cpuQuota: number | undefined
  readonly clockSource: string
  readonly transparentHugepages: string
  readonly memoryGiB: number
  readonly kernel: string
  /** Those parameters of the kernel's command line that bear on timing. */
  readonly kernelParameters: readonly string[]
  readonly distribution: string
  /** What all measured processes take their memory from. */
  readonly memory: 'hugepages' | 'memfd'
  readonly memoryMiB: number
  readonly hugepages: readonly { sizeKiB: number; total: number; free: number }[]
  readonly versions: {
    readonly package: string
    readonly commit: string | undefined
    readonly node: string
    readonly dpdk: string
    readonly testpmd: string
    /** Of Open vSwitch and the DPDK in it, where it is there. */
    readonly ovs: string | undefined
  }
  /** Options that Node.js got by its environment. */
  readonly nodeOptions: string | undefined
  readonly command: string
  readonly date: string
}

const BEARS_ON_TIMING =
  /^(isolcpus|nohz|nohz_full|rcu_nocbs|mitigations|nosmt|idle|intel_idle\.|processor\.|intel_pstate|amd_pstate|iommu|intel_iommu|amd_iommu|hugepages|hugepagesz|default_hugepagesz|transparent_hugepage|preempt)/

export function describeMachine(placement: Cpus, memory: Memory, args: readonly string[]): Machine {
  const { version } = JSON.parse(read(`${packageRoot()}/package.json`)) as { version: string }
  const cpufreq = `/sys/devices/system/cpu/cpu${placement.switch}/cpufreq`
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cpus: cpus().length,
    virtual: isVirtual(),
    switchCpu: placement.switch,
    generatorCpu: placement.generator,
    siblings: [siblingsOf(placement.switch), siblingsOf(placement.generator)],
    numaNodes: [numaNode(placement.switch), numaNode(placement.generator)],
    smt: flag('/sys/devices/system/cpu/smt/active'),
    governor: read(`${cpufreq}/scaling_governor`) || undefined,
    mhz: [mhz(placement.switch), mhz(placement.generator)],
    boost: boost(),
    isolated: read('/sys/devices/system/cpu/isolated'),
    cpuQuota: cpuQuota(),
    clockSource: read('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
    transparentHugepages:
      read('/sys/kernel/mm/transparent_hugepage/enabled').match(/\[(\w+)\]/)?.[1] ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    kernelParameters: read('/proc/cmdline')
      .split(' ')
      .filter((word) => BEARS_ON_TIMING.test(word)),
    distribution: read('/etc/os-release').match(/^PRETTY_NAME="?([^"\n]*)/m)?.[1] ?? 'unknown',
    memory: memory.kind,
    memoryMiB: memory.mib,
    hugepages: hugepages(),
    versions: {
      package: version,
      commit: output('git', ['-C', packageRoot(), 'rev-parse', '--short', 'HEAD']) || undefined,
      node: process.version,
      dpdk: binding.dpdkVersion,
      testpmd: testpmdVersion(),
      ovs: ovsVersion(),
    },
    nodeOptions: process.env.NODE_OPTIONS || undefined,
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    date: new Date().toISOString(),
  }
}

export function isVirtual(): boolean {
  return /^flags\b.*\bhypervisor\b/m.test(read('/proc/cpuinfo'))
}

function flag(file: string): boolean | undefined {
  const value = read(file)
  return value === '' ? undefined : value === '1'
}

function numaNode(cpu: number): number | undefined {
  try {
    const entries = readdirSync(`/sys/devices/system/cpu/cpu${cpu}`)
    const node = entries.find((name) => /^node\d+$/.test(name))
    return node === undefined ? undefined : Number(node.slice(4))
  } catch {
    return undefined
  }
}

function mhz(cpu: number): number | undefined {
  const kHz = Number(read(`/sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_cur_freq`))
  if (kHz > 0) return Math.round(kHz / 1000)
  const [, block = ''] = read('/proc/cpuinfo').split(new RegExp(`^processor\\s*:\\s*${cpu}$`, 'm'))
  const told = Number(block.match(/^cpu MHz\s*:\s*([\d.]+)/m)?.[1])
  return told > 0 ? Math.round(told) : undefined
}

function boost(): boolean | undefined {
  const off = flag('/sys/devices/system/cpu/intel_pstate/no_turbo')
  return off === undefined ? flag('/sys/devices/system/cpu/cpufreq/boost') : !off
}

/** The least of the control group's and of those above it. */
function cpuQuota(): number | undefined {
  const parts = (read('/proc/self/cgroup').match(/^0::\/(.*)$/m)?.[1] ?? '').split('/')
  const quotas = parts.map((_, i) => {
    const folder = `/sys/fs/cgroup/${parts.slice(0, i + 1).join('/')}`
    const [quota, period] = read(`${folder}/cpu.max`).split(' ').map(Number)
    return quota !== undefined && period !== undefined && quota > 0 ? quota / period : Infinity
  })
  const least = Math.min(...quotas)
  return least === Infinity ? undefined : least
}

function ovsVersion(): string | undefined {
  try {
    return findOvs().version
  } catch {
    return undefined
  }
}

/** It tells its version only after it has started. */
function testpmdVersion(): string {
  const args = ['-v', '--no-huge', '--no-shconf', '--no-pci', '--no-telemetry', '-m', '64']
  const said = output('dpdk-testpmd', [...args, '--', '--help'])
  return said.match(/RTE Version: '([^']*)'/)?.[1] ?? 'unknown'
}

function output(command: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 10_000,
    killSignal: 'SIGKILL',
  })
  return `${stdout ?? ''}${command === 'git' ? '' : (stderr ?? '')}`.trim()
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}
