import type { GuardCounters } from '../control.js'
import { counted } from '../counted.js'
import type { SwitchLogLevel } from './log.js'

/** One guard of one port that goes on dropping is told of once in so long. */
const AGAIN_MS = 60_000

/** What each guard's drops are called, and what they mean: frames of a stranger, or a limit that does its work. */
const GUARDS: Readonly<Record<string, { what: string; level: SwitchLogLevel }>> = {
  ingressPoliced: { what: 'the ingress policer', level: 'info' },
  egressPoliced: { what: 'the egress policer', level: 'info' },
  vlan: { what: 'its VLANs', level: 'info' },
  portSecurity: { what: 'port security', level: 'warn' },
  storm: { what: 'the storm limit', level: 'warn' },
  loop: { what: 'the loop guard', level: 'warn' },
}

interface Told {
  counted: number
  at: number
}

/** A guard that drops frames. */
export interface GuardEvent {
  readonly level: SwitchLogLevel
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Finds guards that have begun to drop, by their counters: lcores tell of no frame. */
export class GuardWatch {
  readonly #clock: () => number
  #told = new Map<string, Told>()

  /** @param clock - milliseconds */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
  }

  /** To be called about once a second. @param ports - counters by port name */
  look(ports: ReadonlyMap<string, GuardCounters>): GuardEvent[] {
    const before = this.#told
    // Ports that are gone are forgotten.
    this.#told = new Map()
    return [...ports].flatMap(([port, counters]) =>
      Object.entries(counters).flatMap(([guard, now]) => {
        const key = `${port} ${guard}`
        const told = before.get(key) ?? { counted: 0, at: Number.NEGATIVE_INFINITY }
        const frames = now - told.counted
        const isDue = frames > 0 && this.#clock() - told.at >= AGAIN_MS
        // A port that was made anew counts from zero.
        const last = frames < 0 ? { ...told, counted: now } : told
        this.#told.set(key, isDue ? { counted: now, at: this.#clock() } : last)
        return isDue ? eventOf(port, guard, frames) : []
      }),
    )
  }
}

function eventOf(port: string, guard: string, frames: number): GuardEvent {
  const { what, level } = GUARDS[guard] ?? { what: guard, level: 'info' }
  return {
    level,
    message: `port ${port}: ${what} dropped ${counted(frames, 'frame')}`,
    fields: { event: 'guard', port, guard, frames },
  }
}
