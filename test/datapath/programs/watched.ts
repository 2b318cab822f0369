import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import type { Burst, Program, ProgramFactory } from '../../../src/index.js'
import { crossConnect } from '../../../src/programs/cross-connect.js'
import { learningSwitch } from '../../../src/programs/learning-switch.js'

/** What the garbage collector of this thread has done so far: collections of young objects. */
export interface Heap {
  collections: number
  usedBytes: number
}

/** Frames from one port come from that many addresses. */
const STATIONS = 64

/** One frame in so many goes to everybody. */
const BROADCAST = 1024

const PROGRAMS: Record<string, () => Program> = {
  'cross-connect': () => crossConnect(),
  'learning-switch': () => learningSwitch(),
  // Shows that what the test looks for can be seen.
  'one object a burst': () => {
    const kept: { burst: number }[] = [{ burst: 0 }]
    let bursts = 0
    return {
      burst({ count, outPort, inPort }) {
        kept[0] = { burst: bursts++ }
        outPort.fill(inPort ^ 1, 0, count)
      },
    }
  },
}

/** Runs one of {@link PROGRAMS} on frames it addresses first, and watches the garbage collector of its thread. */
const watched: ProgramFactory = ({ data, ports }) => {
  const program = PROGRAMS[data as string]?.()
  if (program === undefined) throw new Error(`there is no program '${data}'`)
  program.portsChanged?.(ports)
  let collections = 0
  new PerformanceObserver((list) => {
    collections += list.getEntries().filter(isOfYoung).length
  }).observe({ entryTypes: ['gc'] })

  return {
    burst(burst) {
      address(burst)
      program.burst(burst)
    },
    portsChanged: (changed) => program.portsChanged?.(changed),
    async message(): Promise<Heap> {
      // The observer is told in a later turn of the event loop.
      await turn()
      await turn()
      return { collections, usedBytes: getHeapStatistics().used_heap_size }
    },
  }
}

/** Others are V8's own idea: it collects the old generation when a thread has made little garbage for a while. */
function isOfYoung(entry: PerformanceEntry): boolean {
  const { detail } = entry as PerformanceEntry & { readonly detail: { readonly kind: number } }
  return detail.kind === constants.NODE_PERFORMANCE_GC_MINOR
}

let frames = 0

/** Between the ports, from station to station. */
function address({ count, inPort, offset, view }: Burst): void {
  for (let i = 0; i < count; i++) {
    const at = offset[i] as number
    const station = frames++ % STATIONS
    const everybody = frames % BROADCAST === 0
    view.setUint16(at, everybody ? 0xffff : 0x0200)
    view.setUint32(at + 2, everybody ? 0xffffffff : ((inPort ^ 1) << 8) | station)
    view.setUint16(at + 6, 0x0200)
    view.setUint32(at + 8, (inPort << 8) | station)
  }
}

export default watched
