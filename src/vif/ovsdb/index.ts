export { OvsdbClient, type OvsdbClientOptions } from './client.js'
export { OvsdbError, type OvsdbErrorCode } from './error.js'
export { defaultOvsdb } from './remote.js'
export type {
  OvsdbCondition,
  OvsdbOperation,
  OvsdbResult,
  OvsdbRow,
  OvsdbSchema,
  OvsdbValue,
} from './types.js'
export { mapOf, membersOf, textOf, toMap, toSet } from './values.js'
