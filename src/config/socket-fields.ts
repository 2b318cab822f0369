import * as z from 'zod'

/** How a `dpdkvhostuserclient` port looks for its peer. */
export interface ReconnectOptions {
  /** First delay after a refused connection, in milliseconds, 1 to 3600000. Each further one doubles. Default 1. */
  firstDelayMs?: number | undefined
  /** Longest delay between two attempts, in milliseconds, 1 to 3600000. Default 1000. */
  maxDelayMs?: number | undefined
  /** Share of each delay that is left to chance, 0 to 1, so that many ports do not come back in step. Default 0.2. */
  jitter?: number | undefined
  /**
   * Milliseconds without a peer after which the port gives up and is `failed`, until {@link Port.reconnect}; 1 to
   * 86400000. Default: never.
   */
  giveUpMs?: number | undefined
}

const reconnect = z
  .strictObject({
    firstDelayMs: z.int().min(1).max(3_600_000).default(1),
    maxDelayMs: z.int().min(1).max(3_600_000).default(1000),
    jitter: z.number().min(0).max(1).default(0.2),
    giveUpMs: z.int().min(1).max(86_400_000).optional(),
  })
  .superRefine(({ firstDelayMs, maxDelayMs }, ctx) => {
    if (firstDelayMs <= maxDelayMs) return
    const message = `is more than maxDelayMs (${maxDelayMs})`
    const fix = 'lower it, or raise maxDelayMs'
    ctx.addIssue({ code: 'custom', path: ['firstDelayMs'], message, params: { fix } })
  })

/** {@link ReconnectOptions} with defaults. */
export const reconnectField = reconnect.prefault({})

/** Permission bits, as a number or in octal digits. */
export const modeField = z
  .union([z.number(), z.string()])
  .describe("permission bits, such as '0660'")
  .superRefine((mode, ctx) => {
    const refuse = (message: string, fix: string) =>
      ctx.addIssue({ code: 'custom', message, params: { fix } })
    if (typeof mode === 'string') {
      if (!/^0?o?[0-7]{3}$/.test(mode)) refuse('is not octal', "give three octal digits, as '0660'")
    } else if (!Number.isInteger(mode) || mode < 0 || mode > 0o777) {
      const meant = /^[0-7]{3,4}$/.test(String(mode)) ? String(mode).padStart(4, '0') : '0660'
      refuse('is beyond 0o777, the last of the permission bits', `write '${meant}', or 0o660`)
    }
  })
  .transform((mode) =>
    typeof mode === 'number' ? mode : Number.parseInt(mode.replace('o', ''), 8),
  )

/** A user or group, by name or number. */
export const ownerField = z
  .union([z.number(), z.string()])
  .describe('a name or a number')
  .superRefine((owner, ctx) => {
    const refuse = (message: string) =>
      ctx.addIssue({ code: 'custom', message, params: { fix: 'give a name or a number from 0' } })
    if (typeof owner === 'number') {
      if (!Number.isInteger(owner) || owner < 0 || owner > 0xfffffffe) refuse('is not an id')
    } else if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?$/.test(owner)) refuse('is not a name')
    else if (/^\d+$/.test(owner) && Number(owner) > 0xfffffffe) refuse('is not an id')
  })
