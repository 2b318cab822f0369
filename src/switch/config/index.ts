/** The configuration of a switch: from a file to a `SwitchSpec`. */
export { type CheckedConfig, type CheckOptions, checkConfig } from './check.js'
export { ConfigFileError, type ConfigProblem, reportLine } from './problem.js'
export { checkConfigFile, readConfig } from './read.js'
export { defaultAdminSocket } from './schema.js'
