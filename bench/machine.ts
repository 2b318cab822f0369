import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { binding } from '../src/native/binding.js'
import { packageRoot } from '../src/native/root.js'
import { siblingsOf } from './cpus.js'
import { hugepages, type Memory } from './memory.js'
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
  /** Frequency governor, where the kernel has one. */
  readonly governor: string | undefined
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
  }
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
    governor: read(`${cpufreq}/scaling_governor`) || undefined,
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
    },
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    date: new Date().toISOString(),
  }
}

export function isVirtual(): boolean {
  return /^flags\b.*\bhypervisor\b/m.test(read('/proc/cpuinfo'))
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
