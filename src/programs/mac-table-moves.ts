/**
 * Addresses that move between ports too often: a loop in the wiring, or somebody who sends from another's address.
 *
 * Of each entry is kept where the address was before it began to move (its home), the moves, and since when. An address
 * that moved too often is held at its home, not where the last frame came from: else whoever sends one frame more than
 * the owner would have the owner's frames refused. The home changes only after a time without moves that is longer
 * than a hold.
 *
 * @packageDocumentation
 */
import {
  ENTRIES,
  ENTRY_WORDS,
  HELD,
  HOME_AND_MOVES,
  MARK_WORDS,
  MARKS,
  PORT,
  PORT_BITS,
  SINCE,
} from './mac-table-layout.js'

/** An address may move `moves` times within `withinMs`; after that it is held for `holdMs`. */
export interface MoveLimit {
  readonly moves: number
  readonly withinMs: number
  readonly holdMs: number
}

/** Returned by {@link noteMove}: the address moves. */
export const MOVES = 0
/** Returned by {@link noteMove}: it moved too often just now, and is to be at its home from now on. */
export const HELD_NOW = -4
/** Returned by {@link noteMove}: it is held where it is. */
export const HELD_BACK = -5

/** Lcores read their clocks at different times. */
const SKEW_MS = 1000

/** Where the number of moves is in its word, above the home. */
const MOVES_SHIFT = 10
const MOST_MOVES = 0x1fffff

/** Counts a move of `entry` from port `before` to `port` in millisecond `ms`. The table is locked. */
export function noteMove(
  words: Int32Array,
  entry: number,
  before: number,
  port: number,
  ms: number,
  limit: MoveLimit,
): number {
  if (isHeldBack(words, entry, ms, limit)) return HELD_BACK
  const mark = markOf(words, entry)
  const flags = words[entry + PORT] as number
  const elapsed = since(words[mark + SINCE] as number, ms)
  let moves = movesOf(words[mark + HOME_AND_MOVES] as number)
  let home = homeOf(words, entry)
  if ((flags & HELD) !== 0 || moves === 0 || elapsed > limit.withinMs + limit.holdMs) {
    home = before
    moves = 1
    words[mark + SINCE] = ms
  } else if (elapsed > limit.withinMs) {
    moves = 1
    words[mark + SINCE] = ms
  } else {
    moves = Math.min(moves + 1, MOST_MOVES)
  }
  words[mark + HOME_AND_MOVES] = home | (moves << MOVES_SHIFT)
  words[entry + PORT] = flags & ~HELD
  // Between two others it goes on; else two ports could have it held where its owner is not.
  if (moves <= limit.moves || (before !== home && port !== home)) return MOVES
  words[entry + PORT] = flags | HELD
  words[mark + SINCE] = (ms + limit.holdMs) | 0
  return HELD_NOW
}

/** Whether an entry is held where it is. */
export function isHeldBack(
  words: Int32Array,
  entry: number,
  ms: number,
  { holdMs }: MoveLimit,
): boolean {
  if (((words[entry + PORT] as number) & HELD) === 0) return false
  const left = ((words[markOf(words, entry) + SINCE] as number) - ms) | 0
  return left > 0 && left <= holdMs + SKEW_MS
}

/** The home of an entry that has moved. */
export function homeOf(words: Int32Array, entry: number): number {
  return (words[markOf(words, entry) + HOME_AND_MOVES] as number) & PORT_BITS
}

/** Makes an entry one that never moved. The table is locked. */
export function clearMoves(words: Int32Array, entry: number): void {
  words[markOf(words, entry) + HOME_AND_MOVES] = 0
}

/** Lets entries whose home was port `port`, which is no more, begin anew. The table is locked. */
export function forgetHome(words: Int32Array, port: number): void {
  for (let mark = words[MARKS] as number; mark < words.length; mark += MARK_WORDS) {
    if (((words[mark + HOME_AND_MOVES] as number) & PORT_BITS) === port)
      words[mark + HOME_AND_MOVES] = 0
  }
}

function markOf(words: Int32Array, entry: number): number {
  const index = (entry - (words[ENTRIES] as number)) / ENTRY_WORDS
  return (words[MARKS] as number) + index * MARK_WORDS
}

function movesOf(homeAndMoves: number): number {
  return homeAndMoves >>> MOVES_SHIFT
}

/** Milliseconds from one to another, both modulo 2^32; very many when they cannot be compared. */
function since(from: number, to: number): number {
  const elapsed = (to - from) | 0
  if (elapsed >= 0) return elapsed
  return elapsed > -SKEW_MS ? 0 : 0x7fffffff
}
