import { SEVERITIES } from '../../../doctor/finding.js'
import type { HostFacts } from '../facts.js'
import type { Wire } from '../wires.js'
import { connection } from './connection.js'
import type { VifFinding } from './finding.js'
import { accounts, pending, unusable } from './libvirt.js'
import { logs } from './log.js'
import { memory } from './memory.js'
import { permissions } from './permissions.js'
import { queues } from './queues.js'
import { roles } from './roles.js'
import { sockets } from './sockets.js'
import { switches } from './switches.js'

export type { VifFinding } from './finding.js'

const CHECKS = [roles, memory, permissions, sockets, queues, connection, pending]

/** Everything that does not fit, the worst first. */
export function findingsOf(facts: HostFacts, wires: readonly Wire[]): VifFinding[] {
  const all = [
    ...switches(facts),
    ...accounts(facts),
    ...unusable(facts),
    ...wires.flatMap((wire) =>
      withoutSymptoms(
        CHECKS.flatMap((check) => check(wire, facts)),
        facts,
      ),
    ),
    ...logs(facts, wires),
  ]
  const rank = ({ severity }: VifFinding) => -SEVERITIES.indexOf(severity)
  return all.sort((one, other) => rank(one) - rank(other))
}

/** That a port is not connected is worth a line only if nothing else says why. */
function withoutSymptoms(findings: VifFinding[], { confinement }: HostFacts): VifFinding[] {
  const isSymptom = ({ check, fix }: VifFinding) => check === 'socket' && fix === undefined
  const hasCause = findings.some(
    (one) => !isSymptom(one) && (one.severity === 'error' || one.check === 'socket'),
  )
  if (hasCause) return findings.filter((one) => !isSymptom(one))
  const fix =
    confinement === 'SELinux'
      ? 'sudo ausearch -m avc -ts recent  # SELinux is enforcing'
      : confinement === 'AppArmor'
        ? 'sudo dmesg | grep DENIED  # AppArmor is on'
        : 'see the log of the switch'
  return findings.map((one) => (isSymptom(one) ? { ...one, fix } : one))
}
