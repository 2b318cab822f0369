/** What OVS prints, as numbers. */

/** `dpif-netdev/pmd-stats-show`: of the thread that polls, since it was last cleared. */
export interface PmdStats {
  readonly frames: number
  /** Cycles of polls that found frames. */
  readonly busyCycles: number
  readonly idleCycles: number
  /** Frames for which no flow was remembered. */
  readonly upcalls: number
}

/** @throws Error when the text does not show one polling thread */
export function parsePmdStats(text: string): PmdStats {
  const [, block = ''] = /^pmd thread numa_id \d+ core_id \d+:\n((?: .*\n?)*)/m.exec(text) ?? []
  const one = (pattern: RegExp) => Number(pattern.exec(block)?.[1])
  const stats = {
    frames: one(/packets received: (\d+)/),
    busyCycles: one(/(?<!avg )processing cycles: (\d+)/),
    idleCycles: one(/idle cycles: (\d+)/),
    upcalls: one(/miss with success upcall: (\d+)/) + one(/miss with failed upcall: (\d+)/),
  }
  if (Object.values(stats).some(Number.isNaN)) throw unreadable(text)
  return stats
}

/** `dpctl/show -s`: frames that ports did not take, all together. */
export function parseTxDropped(text: string): number {
  const counts = [...text.matchAll(/TX packets:\d+ errors:\d+ dropped:(\d+)/g)]
  if (counts.length === 0) throw unreadable(text)
  return counts.reduce((sum, [, dropped]) => sum + Number(dropped), 0)
}

function unreadable(text: string): Error {
  return new Error(`OVS answered what this bench does not understand:\n${text.trim()}`)
}
