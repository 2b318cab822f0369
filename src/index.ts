/**
 * Userspace switching in TypeScript: DPDK moves the packets, a program decides where they go.
 *
 * @packageDocumentation
 */
export * from './config/index.js'
export type {
  LcoreCounters,
  PeerCounters,
  PortCounters,
  RxCounters,
  ShaperQueue,
  TxCounters,
} from './counters/counters.js'
export { Datapath, type DatapathInfo } from './datapath/datapath.js'
export type {
  DatapathEvent,
  DatapathEvents,
  LogEvent,
  LogLevel,
  PortEvent,
  StallEvent,
} from './datapath/events.js'
export { LOG_LEVELS } from './datapath/events.js'
export type { Port, ReadyOptions } from './datapath/port.js'
export type { Negotiated, PortStatus } from './datapath/port-status.js'
export type { RxQueueStatus } from './datapath/rx-queues.js'
export type { VringStats } from './datapath/vring-stats.js'
export { DatapathError, type DatapathErrorCode } from './errors.js'
export type { BurstReport, LcoreEvent, ProgramEvent } from './lcore/events.js'
export type { Lcore, ProgramModule } from './lcore/lcore.js'
export { PreparedProgram } from './lcore/prepared-program.js'
export type { PortState } from './native/binding.js'
export { type BindingProblem, NativeBindingError } from './native/binding-error.js'
export { notifySystemd } from './native/notify-systemd.js'
export {
  type CrossConnectOptions,
  crossConnect,
} from './programs/cross-connect.js'
export type { FlowAction } from './programs/flow-table/actions.js'
export type { FlowStatus, FlowTableStats, RemovalReason } from './programs/flow-table/book.js'
export type { Explanation } from './programs/flow-table/compiler/compiled.js'
export type { FlowMeter } from './programs/flow-table/meters.js'
export type { PacketIn } from './programs/flow-table/packet-in.js'
export {
  type FlowTable,
  type FlowTableOptions,
  flowTable,
} from './programs/flow-table/program.js'
export type { FlowReplica } from './programs/flow-table/replica.js'
export type { FlowMatch, FlowRule, FlowSelection } from './programs/flow-table/rule.js'
export { SharedFlows, type SharedFlowsOptions } from './programs/flow-table/shared.js'
export {
  type LearningSwitchOptions,
  type LearntAddress,
  learningSwitch,
} from './programs/learning-switch.js'
export * from './programs/program.js'
