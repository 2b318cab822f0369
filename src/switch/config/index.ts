/** The configuration of a switch: from a file to a `SwitchSpec`, and from one of these to another. */

export { defaultAdminSocket } from '../admin/default-socket.js'
export { changeLines } from './change-lines.js'
export { changePort, checkPort } from './change-port.js'
export { type CheckedConfig, type CheckOptions, checkConfig } from './check.js'
export {
  type BridgeSettings,
  type Change,
  type Difference,
  difference,
  type FlowsChange,
} from './difference.js'
export { type FlowDifference, flowDifference } from './flow-difference.js'
export { controllerTroubles, meterTroubles } from './flows.js'
export { ConfigFileError, type ConfigProblem, reportLine } from './problem.js'
export { checkConfigFile, readConfig } from './read.js'
