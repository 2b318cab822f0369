import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../../src/native/root.js'
import { filterSource } from './filter.js'
import { serviceOf } from './unit.js'

/** Keys that take nothing from the process. */
const OTHER =
  /^(Type|NotifyAccess|Exec\w+|Restart|RestartSec|Timeout\w+|KillMode|WatchdogSec|RuntimeDirectoryPreserve|ConfigurationDirectory|Limit\w+|OOMScoreAdjust)$/

/** What is made here as the unit says, by the same means of the kernel that systemd uses. */
const MADE =
  /^(CapabilityBoundingSet|AmbientCapabilities|NoNewPrivileges|ProtectSystem|ReadWritePaths|RuntimeDirectory|PrivateTmp|ProtectHome|ProtectProc|ProtectKernelTunables|ProtectControlGroups|PrivateMounts|SystemCallFilter|SystemCallErrorNumber|SystemCallArchitectures|RestrictAddressFamilies|RestrictNamespaces|UMask)$/

/** What is not: cgroups, and filters of system calls that only see arguments the switch never gives. */
const NOT_MADE =
  /^(DevicePolicy|DeviceAllow|ProtectKernelModules|ProtectKernelLogs|ProtectClock|ProtectHostname|RestrictRealtime|RestrictSUIDSGID|LockPersonality|RemoveIPC)$/

/** Keys of the unit that nobody has thought of here. */
export function unknownKeys(): string[] {
  const known = [OTHER, MADE, NOT_MADE]
  return [...serviceOf().keys()].filter((key) => !known.some((keys) => keys.test(key)))
}

/**
 * Where the switch is shut in as systemd shuts it in, in namespaces of mounts and of the network of its own. Outside,
 * its folders are in `folder`: `run` is /run/vswitch, `vm` is /run/vm, `etc` is /run/etc and can only be read.
 */
export class Sandbox {
  /** The command `vswitch` inside. */
  static readonly VSWITCH = [process.execPath, '/run/project/dist/src/switch/cli/main.js']
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    for (const name of ['run', 'vm', 'etc']) mkdirSync(join(folder, name))
    const source = join(folder, 'filter.c')
    writeFileSync(source, filterSource(serviceOf()))
    execFileSync('gcc', ['-O1', '-o', join(folder, 'etc/filter'), source])
  }

  /** Starts a command inside, with a hard limit. */
  start(command: readonly string[]): ChildProcess {
    return spawn('unshare', ['--mount', '--net', 'sh', '-euc', this.#script(), 'sh', ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 200_000,
      killSignal: 'SIGKILL',
    })
  }

  #script(): string {
    const unit = serviceOf()
    const words = (key: string) => unit.get(key) ?? []
    const capabilities = words('CapabilityBoundingSet').map((name) =>
      name.toLowerCase().replace(/^cap_/, '+'),
    )
    return `
      mount -t tmpfs -o mode=755 tmpfs /run
      mkdir /run/${words('RuntimeDirectory')} /run/vm /run/etc /run/project
      mount --bind '${this.#folder}/run' /run/${words('RuntimeDirectory')}
      mount --bind '${this.#folder}/vm' /run/vm
      mount --bind '${this.#folder}/etc' /run/etc
      mount --bind '${packageRoot()}' /run/project
      cd /run/project
      mount -t tmpfs tmpfs /tmp
      mount -t proc -o hidepid=invisible proc /proc
      mount --bind /proc/sys /proc/sys
      for target in $(findmnt -rno TARGET); do
        # Some are hidden by what was mounted above.
        mountpoint -q "$target" || continue
        case $target in
          /dev|/dev/*|/proc|/tmp|/run/${words('RuntimeDirectory')}) ;;
          *) ${keepsWritable(words('ReadWritePaths'))} mount -o remount,bind,ro "$target" ;;
        esac
      done
      export RUNTIME_DIRECTORY=/run/${words('RuntimeDirectory')}
      umask ${words('UMask')}
      exec setpriv --bounding-set=-all,${capabilities} --inh-caps=-all --ambient-caps=-all \\
        --no-new-privs /run/etc/filter "$@"`
  }
}

/** Goes on with the next one where a path, or the folder it is in, is to be written to. */
function keepsWritable(paths: readonly string[]): string {
  const bare = paths.map((path) => path.replace(/^-/, ''))
  return `case $target in ${bare.join('|')}) continue ;; esac;`
}
