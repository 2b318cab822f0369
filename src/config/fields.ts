import * as z from 'zod'

/** MTU limits in bytes, those of OVS: 68 is the least IPv4 allows (RFC 791), 9728 a common device limit. */
export const MIN_MTU = 68
/** @see {@link MIN_MTU} */
export const MAX_MTU = 9728

/** Longest name of a port, lcore or program. */
export const MAX_NAME = 64

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:@+-]*$/

/** Name of a port or an lcore: fit for labels of metrics, commands and file names. */
export const nameField = z
  .string()
  .describe('a name')
  .superRefine((name, ctx) => {
    const fix = `give 1 to ${MAX_NAME} of the characters A-Z a-z 0-9 _ . : @ + -, the first a letter, a digit or _`
    const refuse = (message: string) => ctx.addIssue({ code: 'custom', message, params: { fix } })
    if (name === '') refuse('is empty')
    else if (name.length > MAX_NAME) refuse(`has ${name.length} characters`)
    else if (!NAME.test(name)) {
      const bad = [...name].find((character) => !/[A-Za-z0-9_.:@+-]/.test(character))
      refuse(
        bad === undefined
          ? `begins with ${JSON.stringify(name[0])}`
          : `contains ${JSON.stringify(bad)}`,
      )
    }
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
