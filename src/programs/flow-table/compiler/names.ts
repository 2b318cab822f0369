import { FIELDS, SLOTS } from '../fields.js'
import type { Term } from '../match.js'

/** Bits that a slot can have: the widest of its fields decides. */
const BITS: readonly number[] = SLOTS.map((_, slot) => {
  const widths = FIELDS.filter((field) => field.slots.includes(slot)).map((field) => {
    const below = field.slots.length - 1 - field.slots.indexOf(slot)
    return Math.min(32, field.bits + field.shift - 32 * below)
  })
  return Math.max(...widths)
})

/** Name of the variable that holds a slot in compiled code. */
export function variable(slot: number): string {
  const name = SLOTS[slot]
  if (name === undefined) throw new RangeError(`there is no slot ${slot}`)
  return name
}

/** Bits that a slot can have, 2 to 32. */
export function bitsOf(slot: number): number {
  return BITS[slot] as number
}

/** All bits of a slot. */
export function fullMask(slot: number): number {
  const bits = bitsOf(slot)
  return bits === 32 ? -1 : 2 ** bits - 1
}

/** Whether a mask leaves nothing of a slot out. */
export function isExact(slot: number, mask: number): boolean {
  const full = fullMask(slot)
  return (mask & full) === full
}

/** The only way a number gets into compiled code. */
export function literal(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no number for compiled code`)
  return value < 0 ? `(${value})` : String(value)
}

/** The bits of a slot that a mask leaves, as an expression. */
export function masked(slot: number, mask: number): string {
  return isExact(slot, mask) ? variable(slot) : `(${variable(slot)} & ${literal(mask)})`
}

/** A condition as an expression. */
export function condition({ slot, value, mask }: Term): string {
  return `${masked(slot, mask)} === ${literal(value)}`
}
