import type { Candidate } from './candidate.js'

/**
 * Rules as numbers, greatest order first: of each its index, the number of its conditions, and of each condition
 * slot, mask and value.
 */
export function linearRules(candidates: readonly Candidate[]): Int32Array {
  const numbers: number[] = []
  for (const { entry, terms } of [...candidates].sort((a, b) => b.entry.order - a.entry.order)) {
    numbers.push(entry.index, terms.length)
    for (const { slot, mask, value } of terms) numbers.push(slot, mask, value)
  }
  return Int32Array.from(numbers)
}

/** Index of the first rule that the slots fit, or -1. */
export function findLinear(rules: Int32Array, slots: Int32Array): number {
  let at = 0
  while (at < rules.length) {
    const rule = rules[at] as number
    const end = at + 2 + 3 * (rules[at + 1] as number)
    at += 2
    while (
      at < end &&
      ((slots[rules[at] as number] as number) & (rules[at + 1] as number)) === rules[at + 2]
    )
      at += 3
    if (at === end) return rule
    at = end
  }
  return -1
}
