import * as z from 'zod'
import { wrongName } from './name.js'

export { MAX_NAME } from './name.js'

/** MTU limits in bytes, those of OVS: 68 is the least IPv4 allows (RFC 791), 9728 a common device limit. */
export const MIN_MTU = 68
/** @see {@link MIN_MTU} */
export const MAX_MTU = 9728

/** Name of a port or an lcore: fit for labels of metrics, commands and file names. */
export const nameField = z
  .string()
  .describe('a name')
  .superRefine((name, ctx) => {
    const wrong = wrongName(name)
    if (wrong !== undefined)
      ctx.addIssue({ code: 'custom', message: wrong.message, params: { fix: wrong.fix } })
  })

/** MTU of a port: the longest payload of a frame, in bytes, without Ethernet header and VLAN tags. */
export const mtuField = z.int().min(MIN_MTU).max(MAX_MTU)

/** A number of descriptors of a ring. */
export const descriptorsField = z
  .int()
  .min(32)
  .max(32768)
  .superRefine((count, ctx) => {
    if ((count & (count - 1)) === 0) return
    const below = 2 ** Math.floor(Math.log2(count))
    const fix = `give ${below} or ${below * 2}`
    ctx.addIssue({ code: 'custom', message: 'is not a power of two', params: { fix } })
  })
