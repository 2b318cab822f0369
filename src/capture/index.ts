/**
 * Captures of what ports receive and send, as streams of pcapng.
 *
 * @packageDocumentation
 */
export { compileBpf, type FrameFilter } from './bpf.js'
export { Capture } from './capture.js'
export { compileFilter } from './filter.js'
export type { CaptureDirection, CaptureImage } from './image.js'
export {
  type CaptureOptions,
  type CaptureSpec,
  captureOptions,
  MAX_FILTER,
  MAX_SNAPLEN,
} from './options.js'
export type { InterfaceCounters } from './pcapng.js'
export { Recorder } from './recorder.js'
