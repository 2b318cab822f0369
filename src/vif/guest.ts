import * as z from 'zod'
import { validate } from '../config/index.js'
import { withoutUndefined } from './vif.js'

/** Schema of {@link Guest}. */
export const guestOptions = z.strictObject({
  name: z.string().min(1).default('guest'),
  uuid: z.uuid().optional(),
  vcpus: z.int().min(1).default(1),
  memoryMiB: z.int().min(1).default(1024),
  memory: z.enum(['memfd', 'hugepages', 'file', 'anonymous']).default('memfd'),
  pageKiB: z.int().min(4).optional(),
  shared: z.boolean().default(true),
})

/** What a virtual machine needs beyond its ports, so that a switch sees its memory. */
export interface Guest {
  readonly name: string
  readonly uuid?: string
  readonly vcpus: number
  readonly memoryMiB: number
  /** Where its memory is from. `anonymous` memory cannot be shared. */
  readonly memory: 'memfd' | 'hugepages' | 'file' | 'anonymous'
  /** Size of its hugepages, in KiB. Default: the machine's. */
  readonly pageKiB?: number
  /** Whether a switch can map its memory; without that a port connects, and no frame ever passes. */
  readonly shared: boolean
}

/** What a {@link Guest} is made of; everything may be left out. */
export type GuestOptions = z.input<typeof guestOptions>

/**
 * A complete description; by default 1 vCPU and 1 GiB of shared memfd.
 *
 * @throws {@link ConfigError} naming every problem
 */
export function newGuest(options: GuestOptions = {}, what = 'guest'): Guest {
  return withoutUndefined(validate(guestOptions, options, what)) as Guest
}
