export { Bridge } from './bridge.js'
export {
  type BridgeCounters,
  type BridgePortCounters,
  bridgeCounters,
  bridgePortCounters,
  flushMacs,
  macEntries,
  newBridgeMemory,
  resetBridgePort,
} from './memory.js'
export { type BridgeNotice, NoticeReader } from './notices.js'
