import type { ConfigError } from '../../../config/index.js'
import { parseQemu } from '../../qemu.js'
import { parseQemuOptions } from '../../qemu-options.js'
import type { QemuProcess } from '../facts.js'
import type { Processes } from './processes.js'
import { AS_ROOT, type Sources } from './sources.js'
import type { UnixTable } from './unix-table.js'

const QEMU = /(^|\/)(qemu-system-[\w-]+|qemu-kvm|kvm)$/

/** QEMUs with vhost-user ports, by their command lines, which anybody may read. */
export function gatherQemus(
  processes: Processes,
  table: UnixTable,
  sources: Sources,
): QemuProcess[] {
  let others = 0
  const found = processes.pids.flatMap((pid): QemuProcess[] => {
    const args = processes.argumentsOf(pid)
    if (!QEMU.test(args[0] ?? '')) return []
    const process = args.some((arg) => arg.includes('vhost-user')) && processes.get(pid)
    if (!process) {
      others++
      return []
    }
    const unusable: ConfigError[] = []
    try {
      const { vifs, guest } = parseQemu(withPaths(args, pid, processes, table, sources), {
        onUnusable: (error) => unusable.push(error),
      })
      const name = guest?.name ?? `QEMU ${pid}`
      return [{ process, name, uuid: guest?.uuid, vifs, guest, unusable }]
    } catch {
      // It has other things of vhost-user, such as disks.
      others++
      return []
    }
  })
  const seen = `${found.length} with vhost-user ports, ${others} without`
  sources.add('read', 'QEMU', seen)
  return found
}

/**
 * Arguments with paths in place of open files: libvirt may open the socket and hand it over, `-chardev socket,fd=22`.
 * Which socket that is can be seen in `/proc/PID/fd`, by root and the user of QEMU.
 */
function withPaths(
  args: readonly string[],
  pid: number,
  processes: Processes,
  table: UnixTable,
  sources: Sources,
): string[] {
  return args.map((arg, i) => {
    if (!/^--?chardev$/.test(args[i - 1] ?? '')) return arg
    const options = parseQemuOptions(arg, 'backend')
    const fd = options.get('fd')
    if (fd === undefined || options.has('path')) return arg
    const inodes = processes.socketsOf(pid)
    if (inodes === undefined) {
      const seen = `/proc/${pid}/fd needs root: the socket of ${options.get('id')} is an open file, fd=${fd}`
      sources.add('partly', `QEMU ${pid}`, seen, AS_ROOT)
      return arg
    }
    const path = table.pathOf(inodes.get(Number(fd)))
    return path === undefined ? arg : `${arg},path=${path.replaceAll(',', ',,')}`
  })
}
