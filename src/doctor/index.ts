/**
 * Looks a machine over before a datapath is to run on it: what is missing, why that matters, and the command that mends it.
 * Works without the addon.
 *
 * @packageDocumentation
 */
import { numa, placement, quietness } from './checks/cpus.js'
import { hugepages, limits } from './checks/memory.js'
import { guests, sockets } from './checks/peers.js'
import { dpdk, kernel, processor } from './checks/platform.js'
import { service } from './checks/service.js'
import type { Finding } from './finding.js'
import { Machine, type MachineOptions } from './machine.js'
import type { Subject } from './subject.js'

export { type Finding, SEVERITIES, type Severity, worst } from './finding.js'
export type { Dpdk, MachineOptions } from './machine.js'
export type { Subject, SubjectPort } from './subject.js'

export interface ExamineOptions extends MachineOptions {
  /** The systemd unit that is to run it. Default: none is looked for. */
  readonly unit?: string | undefined
}

/**
 * All findings, good ones included.
 *
 * @param subject - what is to run; what is left out is not looked at, or has the defaults of the API
 */
export async function examine(
  subject: Subject = {},
  options: ExamineOptions = {},
): Promise<Finding[]> {
  const machine = new Machine(options)
  return [
    ...(await dpdk(machine)),
    ...processor(machine),
    ...kernel(machine, subject),
    ...hugepages(machine, subject),
    ...limits(machine, subject),
    ...placement(machine, subject),
    ...quietness(machine, subject),
    ...numa(machine, subject),
    ...sockets(machine, subject),
    ...guests(machine, subject),
    ...(options.unit === undefined ? [] : service(machine, options.unit)),
  ]
}
