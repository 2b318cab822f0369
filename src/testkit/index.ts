/**
 * Guests for testing switches: hosts without virtual machines, and virtual machines.
 *
 * @packageDocumentation
 */
export type { Capture } from './host/capture-handle.js'
export { TestHostError, type TestHostErrorCode } from './host/errors.js'
export type { TestHostOptions, TestHostSpec } from './host/options.js'
export type { Sending } from './host/sending.js'
export {
  type DeliveryOptions,
  type HostLink,
  type LinkWaitOptions,
  TestHost,
} from './host/test-host.js'
export type { Destination, PingOptions, SendOptions } from './host/traffic-options.js'
export type { CaptureFilter } from './traffic/capture.js'
export type {
  Delivery,
  Gap,
  HostCounters,
  LatencyReport,
  PingResult,
  ReceivedReport,
  SendResult,
  StreamReport,
} from './traffic/reports.js'
export * from './vm/virtual-machine.js'
