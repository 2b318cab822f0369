import { RATIOS } from './contender.js'
import { isOfKernel } from './load.js'
import type { Entry } from './plan.js'

/** Groups of more are not joined by others: the turns of each would come too seldom. */
const MOST = 6

/**
 * Who is alive together, and takes turns: those in the same scenario and with the same load that are compared with each other,
 * directly or by way of others; and besides them, where there is room, others whose figures stand beside theirs. Those of
 * the kernel are alone: it is the same kernel in all of them.
 */
export function groupsOf<T extends Entry>(entries: readonly T[]): T[][] {
  const groups: T[][] = []
  for (const alike of partsOf(entries, areAlike)) {
    const joined: T[][] = []
    for (const part of partsOf(alike, areCompared)) {
      const last = joined.at(-1)
      if (last !== undefined && last.length + part.length <= MOST) last.push(...part)
      else joined.push(part)
    }
    for (const group of joined)
      groups.push(group.sort((a, b) => entries.indexOf(a) - entries.indexOf(b)))
  }
  return groups
}

/** Parts whose members belong together, directly or by way of others. */
function partsOf<T>(all: readonly T[], together: (one: T, other: T) => boolean): T[][] {
  const parts: T[][] = []
  const left = new Set(all)
  for (const first of left) {
    const part = [first]
    left.delete(first)
    // It grows meanwhile.
    for (const one of part) {
      for (const other of left) {
        if (!together(one, other)) continue
        part.push(other)
        left.delete(other)
      }
    }
    parts.push(part)
  }
  return parts
}

function areAlike(one: Entry, other: Entry): boolean {
  return !isOfKernel(loadOf(one)) && conditionsOf(one) === conditionsOf(other)
}

function conditionsOf(entry: Entry): string {
  const { ring, frameBytes, queuePairs, burst, lcoreCpus } = entry.scenario
  return JSON.stringify([ring, frameBytes, loadOf(entry), queuePairs, burst, lcoreCpus])
}

function loadOf({ contender, scenario }: Entry) {
  return scenario.load ?? contender.load
}

function areCompared({ contender: { name: a } }: Entry, { contender: { name: b } }: Entry) {
  return RATIOS.some(([over, under]) => (over === a && under === b) || (over === b && under === a))
}
