export { describePlan } from './describe.js'
export { MigrationError, type MigrationErrorCode } from './error.js'
export { Migration, type OnStep } from './migration.js'
export { OvsSide, type OvsSideOptions } from './ovs-side.js'
export {
  type MigrationPlan,
  type MigrationPlanOptions,
  type PlannedMachine,
  type PlannedPort,
  type PlannedStep,
  planMigration,
  type StepAction,
} from './plan.js'
export type { Means as MigrationMeans } from './steps.js'
export type { SwitchSide, SwitchSidePort } from './switch-side.js'
export { Virsh } from './virsh.js'
