import assert from 'node:assert/strict'
import type { Inspection } from '../../../src/vif/index.js'
import type { Machine } from './machine.js'
import { vswitch } from './vswitch.js'

/** By `vswitch vif inspect`: both sides of each guest's port, as `QEMU's role/the switch's role, state`, and no error. */
export function rolesInspected(machine: Machine): Record<string, string> {
  const { code, stdout, stderr } = vswitch(machine, 'vif', 'inspect', '--json')
  assert.notEqual(stdout, '', stderr)
  const { ports, findings } = JSON.parse(stdout) as Inspection
  const errors = findings.filter(({ severity }) => severity === 'error')
  assert.deepEqual([code, errors], [0, []])
  return Object.fromEntries(
    ports.map(({ vm, qemuRole, switchRole, state }) => [vm, `${qemuRole}/${switchRole}, ${state}`]),
  )
}
