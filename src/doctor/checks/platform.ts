import type { Finding } from '../finding.js'
import type { Machine } from '../machine.js'
import type { Subject } from '../subject.js'
import { pciAddress } from './cpus.js'

/** DPDK 22.11: "Linux Getting Started Guide, System Requirements". */
const OLDEST_KERNEL = [4, 14]
const OLDEST_DPDK = [22, 11]
/** Drivers that leave a device to user space; devices of Mellanox are shared with the kernel's own. */
const USER_DRIVERS = /^(vfio-pci|igb_uio|uio_pci_generic|mlx[45]_core)$/

export async function dpdk(machine: Machine): Promise<Finding[]> {
  const found = await machine.dpdk()
  if ('trouble' in found)
    return [
      {
        check: 'DPDK',
        severity: 'error',
        seen: found.trouble,
        why: 'nothing works without the addon',
        fix: 'npm run setup && npm run build  # in a clone; else npm rebuild dpdk-vhost',
      },
    ]
  const { version } = found
  if (isBelow(version, OLDEST_DPDK))
    return [
      {
        check: 'DPDK',
        severity: 'error',
        seen: version,
        why: 'librte_vhost of older versions lacks what is used here',
        fix: 'install DPDK 22.11 or later, then npm rebuild dpdk-vhost',
      },
    ]
  return [{ check: 'DPDK', severity: 'ok', seen: version }]
}

export function processor(machine: Machine): Finding[] {
  const info = machine.read('/proc/cpuinfo') ?? ''
  const flags = new Set(/^flags\s*:\s*(.*)$/m.exec(info)?.[1]?.split(/\s+/))
  if (flags.size === 0)
    return [
      {
        check: 'CPU',
        severity: 'note',
        seen: 'no flags are shown',
        why: 'whether DPDK runs here cannot be told',
      },
    ]
  const model = /^model name\s*:\s*(.*)$/m.exec(info)?.[1] ?? 'unknown'
  const findings: Finding[] = []
  if (!flags.has('sse4_2'))
    findings.push({
      check: 'CPU',
      severity: 'error',
      seen: `${model} has no SSE 4.2`,
      why: 'DPDK as distributions build it stops at once (RTE_MACHINE corei7)',
      fix: 'in a virtual machine give it the host CPU: -cpu host; else build DPDK with -Dcpu_instruction_set=generic',
    })
  const lacking = ['constant_tsc', 'nonstop_tsc'].filter((flag) => !flags.has(flag))
  if (lacking.length > 0)
    findings.push({
      check: 'CPU',
      severity: 'warning',
      seen: `${model} has no ${lacking.join(' and no ')}`,
      why: 'the clock of bursts is the time stamp counter: rates of policers and shapers drift with the frequency',
      fix: 'in a virtual machine: -cpu host,migratable=no,+invtsc',
    })
  if (findings.length > 0) return findings
  const vectors = ['avx512f', 'avx2', 'avx'].find((flag) => flags.has(flag)) ?? 'sse4_2'
  return [{ check: 'CPU', severity: 'ok', seen: `${model}, ${vectors}` }]
}

export function kernel(machine: Machine, { ports = [] }: Subject): Finding[] {
  const version = machine.line('/proc/sys/kernel/osrelease') ?? 'unknown'
  const findings: Finding[] = []
  if (isBelow(version, OLDEST_KERNEL))
    findings.push({
      check: 'kernel',
      severity: 'error',
      seen: version,
      why: 'DPDK wants Linux 4.14 or later',
      fix: 'sudo apt-get install linux-image-amd64 && sudo reboot',
    })
  for (const { name, devargs = '' } of ports) findings.push(...device(machine, name, devargs))
  if (findings.length > 0) return findings
  const words = (machine.line('/proc/cmdline') ?? '')
    .split(' ')
    .filter((word) =>
      /^(isolcpus|nohz_full|rcu_nocbs|hugepages|hugepagesz|default_hugepagesz|iommu|intel_iommu|amd_iommu|mitigations|transparent_hugepage|idle|intel_pstate|amd_pstate)=/.test(
        word,
      ),
    )
  return [{ check: 'kernel', severity: 'ok', seen: [version, ...words].join(' ') }]
}

/** A device on the PCI bus: there, and left to user space. */
function device(machine: Machine, port: string, devargs: string): Finding[] {
  const address = pciAddress(devargs)
  if (address === undefined) return []
  const folder = `/sys/bus/pci/devices/${address}`
  if (!machine.exists(folder))
    return [
      {
        check: 'kernel',
        severity: 'error',
        seen: `port ${port}: there is no PCI device ${address}`,
        why: 'the port cannot be added',
        fix: 'lspci -D  # lists addresses',
      },
    ]
  const driver = machine.link(`${folder}/driver`)?.split('/').at(-1)
  const findings: Finding[] = []
  if (driver === undefined || !USER_DRIVERS.test(driver))
    findings.push({
      check: 'kernel',
      severity: 'error',
      seen: `port ${port}: device ${address} has ${driver === undefined ? 'no driver' : `the driver ${driver}`}`,
      why: 'DPDK takes devices that vfio-pci holds',
      fix: `sudo modprobe vfio-pci && sudo dpdk-devbind.py --bind=vfio-pci ${address}`,
    })
  if (machine.list('/sys/kernel/iommu_groups').length === 0)
    findings.push({
      check: 'kernel',
      severity: 'warning',
      seen: 'there is no IOMMU',
      why: 'vfio-pci then works only without protection, and needs root',
      fix: 'boot with intel_iommu=on iommu=pt; without an IOMMU: echo 1 | sudo tee /sys/module/vfio/parameters/enable_unsafe_noiommu_mode',
    })
  return findings
}

/** Whether a version such as `DPDK 22.11.5` or `6.1.0-13-amd64` is below another. */
export function isBelow(version: string, [major = 0, minor = 0]: readonly number[]): boolean {
  const found = /(\d+)\.(\d+)/.exec(version)
  if (found === null) return false
  const [, a, b] = found.map(Number)
  return (a as number) < major || (a === major && (b as number) < minor)
}
