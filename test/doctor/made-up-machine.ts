import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A machine as its files: text by path; `-> target` is a link, and a path that ends with `/` a folder of that mode. */
export type Files = Readonly<Record<string, string>>

/** A server with two nodes, set up as it should be. */
export const GOOD: Files = {
  '/proc/cpuinfo':
    'model name\t: AMD EPYC 7763\nflags\t\t: fpu sse4_2 avx avx2 constant_tsc nonstop_tsc\n',
  '/proc/sys/kernel/osrelease': '6.1.0-13-amd64\n',
  '/proc/sys/kernel/numa_balancing': '0\n',
  '/proc/cmdline': 'BOOT_IMAGE=/vmlinuz root=/dev/sda1 isolcpus=2,3 quiet\n',
  '/proc/self/status':
    'Name:\tnode\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t1000 108\nCapEff:\t0000000000000000\nCpus_allowed_list:\t0-7\n',
  '/proc/self/limits':
    'Limit                     Soft Limit           Hard Limit           Units\nMax open files            65536                65536                files\nMax locked memory         unlimited            unlimited            bytes\n',
  '/proc/net/unix': 'Num RefCount Protocol Flags Type St Inode Path\n',
  '/etc/passwd':
    'root:x:0:0::/root:/bin/sh\nvswitch:x:1000:1000::/:/bin/false\nlibvirt-qemu:x:64055:108::/:/bin/false\n',
  '/etc/group': 'root:x:0:\nkvm:x:108:libvirt-qemu\nvswitch:x:1000:\n',
  '/sys/devices/system/cpu/online': '0-7\n',
  '/sys/devices/system/cpu/isolated': '2-3\n',
  '/sys/devices/system/cpu/cpu2/cpufreq/scaling_governor': 'performance\n',
  '/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor': 'performance\n',
  '/sys/devices/system/cpu/cpu2/topology/thread_siblings_list': '2,6\n',
  '/sys/devices/system/cpu/cpu3/topology/thread_siblings_list': '3,7\n',
  '/sys/devices/system/node/node0/cpulist': '0-3\n',
  '/sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages': '512\n',
  '/sys/devices/system/node/node1/cpulist': '4-7\n',
  '/sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages': '0\n',
  '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages': '600\n',
  '/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages': '512\n',
  '/sys/kernel/iommu_groups/0/type': 'DMA\n',
  '/sys/bus/pci/devices/0000:03:00.0/numa_node': '0\n',
  '/sys/bus/pci/devices/0000:03:00.0/driver': '-> ../../../drivers/vfio-pci',
  '/etc/systemd/system/vswitch.service':
    '[Service]\nRestart=on-failure\nLimitMEMLOCK=infinity\nLimitNOFILE=65536\n',
}

/** A folder that holds a machine, removed when disposed. */
export function madeUpMachine(...parts: Files[]): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'doctor-'))
  for (const [name, text] of Object.entries(Object.assign({}, ...parts) as Files)) {
    const at = join(path, name)
    if (name.endsWith('/')) {
      mkdirSync(at, { recursive: true })
      chmodSync(at, Number.parseInt(text, 8))
      continue
    }
    mkdirSync(dirname(at), { recursive: true })
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), at)
    else if (text !== 'gone') writeFileSync(at, text)
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
