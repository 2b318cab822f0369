import type { HostFacts, LogLine } from '../facts.js'
import type { GuestEnd, Wire } from '../wires.js'
import { subject, type VifFinding } from './finding.js'
import { restart, shareMemory } from './fixes.js'

interface Meaning {
  readonly pattern: RegExp
  readonly severity: 'error' | 'warning' | 'note'
  readonly why: string
  readonly fix: (end: GuestEnd | undefined, match: RegExpMatchArray) => string | undefined
}

const EACCES =
  /(?:Failed to|failed to) (?:connect to|bind socket to|unlink socket) '?([^':]+)'?: Permission denied/

/** What lines of QEMU (chardev/, net/vhost-user.c, hw/virtio/vhost-user.c; 7.2) mean, the most exact first. */
const MEANINGS: readonly Meaning[] = [
  {
    pattern: /Failed initializing vhost-user memory map/,
    severity: 'error',
    why: 'the memory of the guest is not shared: the switch cannot map it',
    fix: (end) => end && shareMemory(end),
  },
  {
    pattern: EACCES,
    severity: 'error',
    why: "QEMU's user may not do that there",
    fix: (_end, [, path]) => `namei -l ${path}`,
  },
  {
    pattern: /Failed to connect to '?([^':]+)'?: (No such file|Connection refused)/,
    severity: 'error',
    why: 'QEMU is client, and when it was started nobody listened there',
    fix: (end) => end && restart(end),
  },
  {
    pattern: /Failed to bind socket to '?([^':]+)'?: (?:Address already in use|No such file)/,
    severity: 'error',
    why: 'QEMU is server, and cannot make its socket there',
    fix: (_end, [, path]) => `ls -ld ${path?.replace(/[^/]*$/, '')} ${path}`,
  },
  {
    pattern: /UNIX socket path '([^']*)' is too long/,
    severity: 'error',
    why: 'a path has at most 107 bytes',
    fix: () => 'give the socket a shorter path, such as /var/lib/vhost_sockets/ID',
  },
  {
    pattern: /you are asking more queues than supported: (\d+)/,
    severity: 'error',
    why: 'the switch has fewer queue pairs than QEMU',
    fix: (end) =>
      end &&
      `vswitch port set ${end.vif.name} queues=${end.vif.queues}  # and the same in the configuration`,
  },
  {
    pattern: /Only one vhost-user client is allowed/,
    severity: 'error',
    why: 'two network cards of the guest have one chardev',
    fix: () => 'give each -netdev vhost-user a -chardev of its own',
  },
  {
    pattern: /vhost VQ \d+ ring restore failed|Failed to (?:read msg header|set msg fds)/,
    severity: 'note',
    why: 'the switch went away in the middle of a message; with QEMU as server it comes back',
    fix: () => undefined,
  },
  {
    pattern: /QEMU waiting for connection on: (.*)/,
    severity: 'note',
    why: 'QEMU is server, and starts the guest when the switch is connected',
    fix: () => undefined,
  },
]

/**
 * What QEMUs wrote of their ports since they were started; the last line of each kind. What is connected by now has got over
 * it, and where a cause is known it is a note.
 */
export function logs(
  { log }: HostFacts,
  wires: readonly Wire[],
  known: readonly VifFinding[],
): VifFinding[] {
  const kinds = new Map<string, VifFinding>()
  for (const line of log) {
    const { wire, end } = whose(line, wires)
    if (wire?.isConnected) continue
    for (const { pattern, severity, why, fix } of MEANINGS) {
      const match = line.text.match(pattern)
      if (match === null) continue
      const hasCause = known.some(
        (one) => one.severity === 'error' && one.socket === wire?.socket && one.vm === line.vm,
      )
      kinds.set(`${line.vm} ${wire?.socket} ${pattern.source}`, {
        ...(wire === undefined ? { vm: line.vm } : subject(wire, end).of),
        ...{ check: 'QEMU log', severity: hasCause ? 'note' : severity, why },
        seen: `${line.vm}: ${line.text.trim()}`,
        fix: fix(end, match),
      })
      break
    }
  }
  return [...kinds.values()]
}

/** The port that a line is about: by its socket, else the only one of the guest. */
function whose({ vm, text }: LogLine, wires: readonly Wire[]) {
  const own = wires.flatMap((wire) =>
    wire.guests.filter((end) => end.vm === vm).map((end) => ({ wire, end })),
  )
  const named = own.find(({ end }) => text.includes(end.vif.socket))
  return named ?? (own.length === 1 ? own[0] : undefined) ?? { wire: undefined, end: undefined }
}
