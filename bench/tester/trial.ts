import { Histogram } from './histogram.js'
import type { PostedTrial } from './messages.js'

/** What came of the frames of one trial, both directions together. */
export interface Trial {
  /** Frames a second that were asked for. */
  readonly framesPerSecond: number
  readonly milliseconds: number
  /** Frames that were due and offered to the switch. */
  readonly offered: number
  readonly received: number
  /** Offered and not received: refused by a full ring, or taken from it and never delivered. */
  readonly lost: number
  /** Of the lost, those that a full ring refused: the switch did not look at it in time. */
  readonly refused: number
  /** `lost` over `offered`. */
  readonly lossRatio: number
  /** Came again, or after a frame that was sent later; not among `received`. */
  readonly outOfOrder: number
  /** Received, and none of this trial's. */
  readonly foreign: number
  /** Received, and not in `latency`, because the tester was away for more than 10 µs when they came or fell due. */
  readonly unjudged: number
  /** Frames a second that came back. */
  readonly receivedPerSecond: number
  /**
   * Share of the frames that were due which the tester was fast enough for: it skips what it is late for by more than 0.1 ms.
   * What fell due while it was away counts as done.
   */
  readonly pace: number
  /** Longest time between two looks of the tester at its rings. */
  readonly longestPauseMs: number
  /** Time that the switch's polling thread waited for its CPU; 0 unless the tester was told to watch it. */
  readonly switchWaitedMs: number
  /** Share of the time in which the tester sent or received. */
  readonly busy: number
  /** From the time a frame was due until it was received. */
  readonly latency: Histogram
  /** From the time a frame was due until it was offered: the tester's own part of the latency. */
  readonly lateness: Histogram
}

export function trialOf(
  result: PostedTrial,
  { framesPerSecond, milliseconds }: { framesPerSecond: number; milliseconds: number },
  cyclesPerSecond: number,
): Trial {
  const sum = (key: 'offered' | 'absent' | 'refused' | 'received' | 'outOfOrder') =>
    result.directions.reduce((total, direction) => total + direction[key], 0)
  const offered = sum('offered')
  const received = sum('received')
  const seconds = Math.max(result.sendingMs, 0.001) / 1000
  const due = (framesPerSecond * milliseconds) / 1000
  return {
    framesPerSecond,
    milliseconds,
    offered,
    received,
    lost: offered - received,
    refused: sum('refused'),
    lossRatio: offered === 0 ? 0 : (offered - received) / offered,
    outOfOrder: sum('outOfOrder'),
    foreign: result.foreign,
    unjudged: result.unjudged,
    receivedPerSecond: received / seconds,
    pace: framesPerSecond === 0 ? 1 : Math.min(1, (offered + sum('absent')) / due),
    longestPauseMs: result.longestPauseMs,
    switchWaitedMs: result.switchWaitedMs,
    busy: result.busy,
    latency: new Histogram(result.latency, cyclesPerSecond),
    lateness: new Histogram(result.lateness, cyclesPerSecond),
  }
}

/** Several trials at one rate as one. */
export function sumOfTrials(trials: readonly Trial[]): Trial {
  const [first] = trials
  if (first === undefined) throw new Error('a sum of no trials')
  const sum = (value: (trial: Trial) => number) =>
    trials.reduce((total, trial) => total + value(trial), 0)
  const mean = (value: (trial: Trial) => number) => sum(value) / trials.length
  const offered = sum((trial) => trial.offered)
  const lost = sum((trial) => trial.lost)
  return {
    framesPerSecond: first.framesPerSecond,
    milliseconds: sum((trial) => trial.milliseconds),
    offered,
    received: sum((trial) => trial.received),
    lost,
    refused: sum((trial) => trial.refused),
    lossRatio: offered === 0 ? 0 : lost / offered,
    outOfOrder: sum((trial) => trial.outOfOrder),
    foreign: sum((trial) => trial.foreign),
    unjudged: sum((trial) => trial.unjudged),
    receivedPerSecond: mean((trial) => trial.receivedPerSecond),
    pace: mean((trial) => trial.pace),
    longestPauseMs: Math.max(...trials.map((trial) => trial.longestPauseMs)),
    switchWaitedMs: sum((trial) => trial.switchWaitedMs),
    busy: mean((trial) => trial.busy),
    latency: Histogram.sum(trials.map((trial) => trial.latency)),
    lateness: Histogram.sum(trials.map((trial) => trial.lateness)),
  }
}
