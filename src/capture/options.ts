import * as z from 'zod'
import { nameField } from '../config/index.js'

/** Longest filter in characters: libpcap's optimizer may take a second for it, and most of a minute for four times as much. */
export const MAX_FILTER = 1024
/** Bytes of a frame that are kept if nobody says; as tcpdump's. */
export const MAX_SNAPLEN = 262_144

/** What a capture takes. */
export const captureOptions = z.strictObject({
  /** Names of ports, which need not be there yet. */
  ports: z.array(nameField).describe('a list of names of ports'),
  filter: z
    .string()
    .max(MAX_FILTER)
    .refine((text) => !text.includes('\0'))
    .describe(`a filter as of tcpdump, at most ${MAX_FILTER} characters`)
    .optional(),
  snaplen: z.int().min(1).max(MAX_SNAPLEN).default(MAX_SNAPLEN),
  /** Ends after so many frames. */
  count: z.int().min(1).optional(),
  direction: z.enum(['rx', 'tx', 'both']).default('both'),
})

/** Options of a capture. */
export type CaptureOptions = z.input<typeof captureOptions>
/** The same with defaults filled in. */
export type CaptureSpec = z.output<typeof captureOptions>
