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
  const ofWires = wires.flatMap((wire) =>
    withoutSymptoms(
      CHECKS.flatMap((check) => check(wire, facts)),
      facts,
    ),
  )
  const all = [
    ...switches(facts),
    ...accounts(facts),
    ...unusable(facts),
    ...ofWires,
    ...logs(facts, wires, ofWires),
  ]
  const rank = ({ severity }: VifFinding) => -SEVERITIES.indexOf(severity)
  return all.sort((one, other) => rank(one) - rank(other))
}

/** That a port is not connected, or not used, is worth a line only if nothing else says why. */
function withoutSymptoms(findings: VifFinding[], { confinement }: HostFacts): VifFinding[] {
  const isIdle = ({ check, fix }: VifFinding) => check === 'socket' && fix === undefined
  const isSymptom = (one: VifFinding) => isIdle(one) || one.check === 'guest'
  const hasCause = findings.some(
    (one) =>
      !isSymptom(one) &&
      (one.severity === 'error' || (one.severity === 'warning' && one.check === 'socket')),
  )
  if (hasCause) return findings.filter((one) => !isSymptom(one))
  const fix =
    confinement === 'SELinux'
      ? 'sudo ausearch -m avc -ts recent  # SELinux is enforcing'
      : confinement === 'AppArmor'
        ? 'sudo dmesg | grep DENIED  # AppArmor is on'
        : 'see the log of the switch'
  return findings.map((one) => (isIdle(one) ? { ...one, fix } : one))
}
