/**
 * What an lcore is told of the switch: structured clones and shared memory only.
 *
 * @packageDocumentation
 */
import type { CaptureImage } from 'dpdk-vhost/capture'
import type { AttachmentSpec, BridgeSpec } from './spec.js'

/** Data of the lcore program. */
export interface SwitchImage {
  readonly bridges: readonly BridgeImage[]
  readonly captures?: readonly CaptureImage[]
}

/** One bridge as an lcore runs it. Sent whole whenever anything of it but its rules changes. */
export interface BridgeImage {
  readonly name: string
  readonly settings: Pick<
    BridgeSpec,
    'ageing' | 'forwardBpdu' | 'staticMacs' | 'stormLimit' | 'loopGuard' | 'mirrors'
  >
  /** How each port takes part, by its name. A port not listed is none of this bridge's. */
  readonly ports: Readonly<Record<string, AttachmentSpec>>
  /** Memory of `bridge/`, made by `newBridgeMemory(tableSize)`: the MAC table, storm limits, notices. Lives as long as the bridge. */
  readonly memory: BridgeMemory
  /** Memory of `guards/`, made by `newGuardMemory()`: policers and counters by port id. Lives as long as the bridge. */
  readonly guards: SharedArrayBuffer
  /** Counters of each mirror by its name, made by `newMirrorCounters()`. They live as long as the mirror. */
  readonly mirrorCounters: ReadonlyMap<string, SharedArrayBuffer>
  /** What decides frames: the rules (as `SharedFlows.replica()` gives them), the user's program, or neither: then the bridge. */
  readonly flows: unknown
  readonly program: { readonly url: string; readonly data: unknown } | undefined
}

export interface BridgeMemory {
  /** From `sharedMacTable`. */
  readonly macs: SharedArrayBuffer
  /** Storm limits, loop guard and notices. */
  readonly state: SharedArrayBuffer
}

/** Messages of the lcore program. All are answered when in force. */
export type LcoreMessage =
  /** Adds a bridge, or puts another image in its place; what is shared and the rules' replica are kept where they are the same. */
  | { readonly type: 'bridge'; readonly image: BridgeImage }
  | { readonly type: 'removeBridge'; readonly name: string }
  /** Passed to the bridge's flow table. */
  | { readonly type: 'flows'; readonly bridge: string; readonly message: unknown }
  /** Puts these captures in place of all. */
  | { readonly type: 'captures'; readonly captures: readonly CaptureImage[] }
  /** Answers `{ bridges: { [name]: { aside: boolean, errors: number } } }`. */
  | { readonly type: 'status' }
