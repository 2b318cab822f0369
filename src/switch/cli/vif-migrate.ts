/** `vif migrate`: from ports on which the switch listens to ports on which QEMU does. */
import {
  describePlan,
  Migration,
  type MigrationPlan,
  OvsSide,
  planMigration,
  type SwitchSide,
  Virsh,
} from 'dpdk-vhost/vif'
import { AdminClient } from '../admin/client.js'
import { ExitCode } from './exit-codes.js'
import { OwnSide } from './own-side.js'
import { newTerminal } from './terminal.js'

export interface MigrateOptions {
  readonly socket: string
  readonly json?: boolean
  readonly ovs?: boolean
  readonly ovsdb?: string
  readonly socketFolder?: string
  readonly connect?: string
  readonly folder?: string
  readonly group?: string
  readonly gid?: number
  readonly owner?: string
  readonly mode?: number
  readonly journal: string
  readonly resume?: boolean
  readonly force?: boolean
  readonly stopTimeout?: number
}

/** Returns the exit code: not 0 when something is in the way. */
export async function plan(vms: readonly string[], options: MigrateOptions): Promise<number> {
  const { answer } = newTerminal(options)
  const planned = await newPlan(vms, options)
  answer(planned, describePlan)
  return planned.blockers.length === 0 ? ExitCode.ok : ExitCode.refused
}

export async function run(vms: readonly string[], options: MigrateOptions): Promise<void> {
  const means = meansOf(options)
  const migration = options.resume
    ? Migration.open(options.journal, means, say)
    : Migration.begin(await newPlan(vms, options), options.journal, means, say)
  await migration.run()
  report(migration.plan, options, (names) => `migrated: ${names}`)
}

export async function undo(options: MigrateOptions): Promise<void> {
  const migration = Migration.open(options.journal, meansOf(options), say)
  await migration.undo()
  report(migration.plan, options, (names) => `as before: ${names}`)
}

function newPlan(vms: readonly string[], options: MigrateOptions): Promise<MigrationPlan> {
  const { virsh, side } = meansOf(options)
  const { folder, group, gid, owner, mode } = options
  const spec = { folder, group, gid, owner, mode, ...(vms.length === 0 ? {} : { vms }) }
  return planMigration(virsh, side, spec)
}

function meansOf({ socket, connect, stopTimeout, force, ...rest }: MigrateOptions) {
  const { ovs, ovsdb, socketFolder } = rest
  const isOvs = ovs === true || ovsdb !== undefined || socketFolder !== undefined
  const side: SwitchSide = isOvs
    ? new OvsSide({ ovsdb, runFolder: socketFolder })
    : new OwnSide(new AdminClient(socket))
  const stopTimeoutMs = stopTimeout === undefined ? undefined : stopTimeout * 1000
  return { virsh: new Virsh(connect), side, stopTimeoutMs, force }
}

/** Progress goes beside the answer. */
function say({ what }: { what: string }, direction: 'do' | 'undo'): void {
  process.stderr.write(`${direction === 'undo' ? 'undo: ' : ''}${what}\n`)
}

function report(
  { machines }: MigrationPlan,
  options: MigrateOptions,
  text: (names: string) => string,
): void {
  const names = machines.map(({ name }) => name)
  newTerminal(options).answer({ machines: names }, () => text(names.join(', ') || 'nothing'))
}
