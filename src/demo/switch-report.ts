import type { PortState } from '../native/binding.js'

/** From the switch's process to the demo. */
export type SwitchReport =
  | {
      readonly kind: 'open'
      readonly dpdkVersion: string
      readonly memory: string
      readonly cyclesPerSecond: number
    }
  | {
      readonly kind: 'port'
      readonly port: string
      readonly state: PortState
      readonly time: number
      readonly ring: string | undefined
      readonly features: readonly string[]
    }
  | ({ readonly kind: 'counters' } & SwitchCounters)
  | { readonly kind: 'failed'; readonly message: string }

/** Counters since the switch started. */
export interface SwitchCounters {
  /** Milliseconds on the switch's clock. */
  readonly at: number
  /** Frames received, on all ports. */
  readonly rxFrames: number
  readonly rxBytes: number
  /** Frames sent, on all ports. */
  readonly txFrames: number
  readonly drops: number
  readonly busyCycles: number
}
