import { readFileSync } from 'node:fs'

/** What a switch of ours does for the first time, written down by `marks.cts`. */
export type MarkName = 'begun' | 'load' | 'loaded' | 'open' | 'opened' | 'createLcore' | 'assign'

export interface Mark {
  readonly name: MarkName
  /** 0 is the main thread. */
  readonly thread: number
  /** In milliseconds since the epoch, as `Date.now()`. */
  readonly at: number
}

/** The start of a switch of ours, in parts that follow each other, in milliseconds. Together they are the whole. */
export const PHASES = ['node', 'imports', 'eal', 'ports', 'firstFrame'] as const
export type Phase = (typeof PHASES)[number]

export const PHASE_NAMES: Readonly<Record<Phase, string>> = {
  node: 'Node.js',
  imports: 'imports',
  eal: 'EAL, memory',
  ports: 'ports, lcore',
  firstFrame: 'first frame',
}

export interface Phases extends Readonly<Record<Phase, number>> {
  /** Of the imports: loading the addon, and with it the libraries of DPDK. */
  readonly addon: number
  /** From the start of the process until the lcore began, and until queues were given to it for the last time before the first frame. */
  readonly lcoreAt: number
  readonly polledAt: number
}

export function readMarks(file: string): Mark[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Mark)
}

/**
 * @param spawnedAt - when the process was started; all times in milliseconds since the epoch
 * @param readyAt - when both guests had seen their links go up
 * @throws Error when a mark is missing
 */
export function phasesOf(
  marks: readonly Mark[],
  spawnedAt: number,
  readyAt: number,
  firstFrameAt: number,
): Phases {
  const at = (name: MarkName, anyThread = false): number => {
    const found = marks.find((mark) => mark.name === name && (anyThread || mark.thread === 0))
    if (found === undefined) throw new Error(`the switch did not come to '${name}'`)
    return found.at
  }
  // A frame may be there before the end of the call is heard of.
  const assigned = marks.filter(({ name, at: then }) => name === 'assign' && then < firstFrameAt)
  const polledAt = Math.max(...assigned.map((mark) => mark.at))
  const connectedAt = Math.max(readyAt, polledAt)
  return {
    node: at('begun') - spawnedAt,
    imports: at('open') - at('begun'),
    eal: at('opened') - at('open'),
    ports: connectedAt - at('opened'),
    firstFrame: firstFrameAt - connectedAt,
    addon: at('loaded') - at('load'),
    lcoreAt: at('createLcore', true) - spawnedAt,
    polledAt: polledAt - spawnedAt,
  }
}
