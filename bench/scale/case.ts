import { Channel } from '../own/channel.js'
import { withFolder } from '../sockets.js'
import { unlessAborted } from '../unless-aborted.js'

/** A thousand times more than a case takes on any machine. */
const PATIENCE_MS = 170_000

/** What a process of its own measures, without any frames of others. */
export type Case =
  | {
      readonly kind: 'macs'
      /** Addresses in frames. */
      readonly addresses: number
      /** Most that the table holds. */
      readonly limit: number
      /** Measured time. */
      readonly milliseconds: number
    }
  | {
      readonly kind: 'rules'
      readonly form: RuleForm
      readonly rules: number
      readonly milliseconds: number
    }

/** Exact 5-tuples, or prefixes of 16 to 32 bits of the destination. */
export type RuleForm = 'exact' | 'prefix'

export interface MacsMeasured {
  readonly kind: 'macs'
  /** What a frame costs the learning switch: its source looked up or learnt, its destination looked up. */
  readonly nanosecondsPerFrame: number
  readonly tableBytes: number
}

export interface RulesMeasured {
  readonly kind: 'rules'
  readonly nanosecondsPerFrame: number
  /** From the texts of the rules to the first burst. */
  readonly startMs: number
  /** One rule added and deleted again, with a burst after each: milliseconds for both. */
  readonly changeMs: number
  readonly heapBytes: number
}

export type Measured = MacsMeasured | RulesMeasured

/**
 * Measures a case in a process of its own: its code is compiled for it alone, and its memory counted alone.
 *
 * @throws the signal's reason when it is aborted
 */
export function measureCase<C extends Case>(
  one: C,
  cpu: number,
  signal: AbortSignal,
): Promise<Extract<Measured, { kind: C['kind'] }>> {
  return withFolder(async (folder) => {
    signal.throwIfAborted()
    const script = new URL('./case-main.js', import.meta.url)
    await using channel = new Channel<never, Measured>('case', script, { one, cpu }, folder)
    return (await unlessAborted(channel.reply(one.kind, PATIENCE_MS), signal)) as never
  })
}
