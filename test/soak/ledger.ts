/** Books of frames: what was sent is what arrived, and what was dropped with a reason. */
import type { PortCounters, RxCounters, TxCounters } from '../../src/index.js'
import type { LcoreView, StatsView } from '../../src/switch/control.js'
import type { Delivery } from '../../src/testkit/index.js'
import type { Guest } from './guest.js'

/** The books at a moment without traffic. */
export interface Page {
  readonly stats: StatsView
  readonly lcores: readonly LcoreView[]
  readonly guests: readonly GuestPage[]
  /** How often each port was made anew: it counts from zero then. */
  readonly remade: Readonly<Record<string, number>>
}

/** Frames of a guest in this life, as it counts them itself. */
export interface GuestPage {
  readonly name: string
  readonly lives: number
  /** How often its link went up in this life. */
  readonly generation: number
  readonly sent: number
  readonly received: number
}

type Side = 'rx' | 'tx'

export async function guestPage(guest: Guest): Promise<GuestPage> {
  const { rx, tx } = await guest.host.counters()
  const { name, lives, host } = guest
  const { generation } = host.link
  return { name, lives, generation, sent: tx.frames, received: rx.frames }
}

/** The ring of a guest, each way: more cannot be under way when its connection ends. */
const RING = 1024

/**
 * What does not add up between two pages, one line each. A port that was made anew is left out, and then so is the
 * switch as a whole.
 */
export function mistakes(before: Page, after: Page): string[] {
  const isSame = (name: string) => before.remade[name] === after.remade[name]
  return [...guestMistakes(), ...(Object.keys(after.remade).every(isSame) ? switchMistakes() : [])]

  function difference(name: string, side: Side, counter: string): number {
    const read = ({ stats }: Page) => Object.entries(stats.ports[name]?.[side] ?? {})
    const count = (page: Page) => Number(read(page).find(([key]) => key === counter)?.[1])
    return count(after) - count(before)
  }

  function guestMistakes(): string[] {
    return after.guests.flatMap((guest) => {
      const { name } = guest
      const then = before.guests.find((page) => page.name === name)
      if (!then || then.lives !== guest.lives || !isSame(name)) return []
      const cuts = guest.generation - then.generation
      const mistake = (what: string, put: number, taken: number) => {
        const missing = put - taken
        if (missing >= 0 && missing <= cuts * RING) return []
        return [`${name}: ${what}: ${put} became ${taken}, with ${cuts} cuts`]
      }
      return [
        ...mistake('sent, received by the switch', guest.sent - then.sent, rxOf(name)),
        ...mistake(
          'sent by the switch, received',
          difference(name, 'tx', 'frames'),
          guest.received - then.received,
        ),
      ]
    })
  }

  function rxOf(name: string): number {
    return difference(name, 'rx', 'frames') + difference(name, 'rx', 'droppedOversize')
  }

  /** What came in or was made went out or was dropped. */
  function switchMistakes(): string[] {
    const lcores = (read: (lcore: LcoreView) => number) =>
      sum(after.lcores.map(read)) - sum(before.lcores.map(read))
    const made = lcores(({ counters }) => counters.framesMade)
    const madeDropped = lcores(({ counters }) => rxDrops(counters.made))
    const ports = (read: (counters: PortCounters) => number) =>
      sum(portsOf(after).map(read)) - sum(portsOf(before).map(read))
    const copied = lcores(({ counters }) => counters.framesCopied)
    const into = ports(({ rx }) => rx.frames) + made + copied
    const out = ports(({ rx, tx }) => tx.frames + drops(tx) + rxDrops(rx)) + madeDropped
    return into === out
      ? []
      : [`the switch: ${into} came, were made or copied; ${out} went or were dropped`]
  }
}

/** What a stream lost beyond what the switch says it dropped, since `before`; and what else must not be. */
export function streamMistakes(
  name: string,
  { lost, duplicated, corrupted, reordered }: Delivery,
  explained: number,
): string[] {
  const unexplained = Math.max(0, lost - explained)
  return Object.entries({ unexplained, duplicated, corrupted, reordered })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `stream ${name}: ${count} ${what}`)
}

/** Frames dropped anywhere in the switch between two pages, by its own account; at ports made anew, none. */
export function dropped(before: Page, after: Page): number {
  const names = Object.keys(after.stats.ports).filter(
    (name) => before.remade[name] === after.remade[name],
  )
  const all = (page: Page) =>
    sum(portsOf(page, names).map(({ rx, tx }) => drops(tx) + rxDrops(rx))) +
    sum(page.lcores.map(({ counters: { made, framesNotMade } }) => rxDrops(made) + framesNotMade))
  return all(after) - all(before)
}

function portsOf({ stats }: Page, names = Object.keys(stats.ports)): PortCounters[] {
  return names.flatMap((name) => stats.ports[name] ?? [])
}

/** Of frames that were counted as received: those too long are not. */
function rxDrops(counters: RxCounters): number {
  return drops(counters) - counters.droppedOversize
}

function drops(counters: RxCounters | TxCounters): number {
  return sum(
    Object.entries(counters)
      .filter(([name]) => name.startsWith('dropped'))
      .map(([, count]) => count as number),
  )
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
