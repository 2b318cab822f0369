import type { MigrationPlan } from './plan.js'

const IMPACTS = {
  live: 'live',
  network: 'this port only',
  restart: 'the guest restarts',
} as const

/** A plan for people. */
export function describePlan(plan: MigrationPlan): string {
  const { machines, steps, left, blockers } = plan
  const lines: string[] = []
  if (machines.length === 0) lines.push(`Nothing to migrate: no guest connects to ${plan.switch}.`)
  else
    lines.push(`From dpdkvhostuser (${plan.switch} listens) to dpdkvhostuserclient (QEMU listens):`)
  for (const { name, isRunning, ports } of machines) {
    lines.push(`  ${name} (${isRunning ? 'runs: is stopped and started' : 'is off: stays so'})`)
    for (const { port, mac, from, to } of ports) {
      lines.push(`    ${[port, mac].filter(Boolean).join(' ')}: ${from.path} -> ${to.path}`)
    }
  }
  if (steps.length > 0) lines.push('', 'Steps:')
  for (const [i, { what, impact, why }] of steps.entries()) {
    lines.push(`  ${i + 1}. ${what}`, `     ${IMPACTS[impact]}; ${why}`)
  }
  if (left.length > 0) lines.push('', 'Left as it is:')
  for (const { what, why, fix } of left) lines.push(`  ${what}: ${why}; ${fix}`)
  if (blockers.length > 0) lines.push('', 'In the way:')
  for (const { what, fix } of blockers) lines.push(`  ${what}; ${fix}`)
  return lines.join('\n')
}
