import type { PortState } from '../../native/binding.js'
import type { HostRequest } from '../traffic/host-program.js'
import type { TestHostSpec } from './options.js'

/** From the process that asked for a host to the host's own. All but `close` are answered. */
export type ToHost =
  | { readonly kind: 'start'; readonly id: number; readonly spec: TestHostSpec }
  | {
      readonly kind: 'ask'
      readonly id: number
      readonly queue: number
      readonly request: HostRequest
    }
  | { readonly kind: 'counters'; readonly id: number }
  | { readonly kind: 'close' }

/** From the host's process. */
export type FromHost =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly message: string }
  | {
      readonly kind: 'link'
      readonly state: PortState
      readonly generation: number
      readonly reason: string | undefined
      readonly time: number
    }
  | { readonly kind: 'log'; readonly line: string }
  /** It cannot go on. */
  | { readonly kind: 'failed'; readonly message: string }

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
