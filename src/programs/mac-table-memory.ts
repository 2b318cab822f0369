/**
 * Makes the memory of a MAC table. Apart from its layout, because lcores that are given a table need no random numbers.
 *
 * @packageDocumentation
 */
import { closeSync, openSync, readSync } from 'node:fs'
import {
  clearMacTable,
  ENTRIES,
  ENTRY_WORDS,
  FORMAT,
  FORMAT_VALUE,
  HEADS,
  KEYS,
  LIMIT,
  MARK_WORDS,
  MARKS,
  SHIFT,
} from './mac-table-layout.js'

/** The buffer of a table for `limit` addresses; the same for tables of their own and shared ones. */
export function macTableBytes(limit: number): number {
  return (HEADS + headCount(limit) + limit * (ENTRY_WORDS + MARK_WORDS)) * 4
}

function headCount(limit: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(limit, 8) * 2))
}

/** Prepares `buffer`, of {@link macTableBytes} bytes, as an empty table for `limit` addresses. */
export function initMacTable(buffer: ArrayBufferLike, limit: number): void {
  const words = new Int32Array(buffer)
  const heads = headCount(limit)
  words[LIMIT] = limit
  words[SHIFT] = 32 - Math.log2(heads)
  words[ENTRIES] = HEADS + heads
  words[MARKS] = HEADS + heads + limit * ENTRY_WORDS
  words.set(randomWords(3), KEYS)
  for (let key = KEYS; key < KEYS + 3; key++) words[key] = (words[key] as number) | 1
  words[FORMAT] = FORMAT_VALUE
  clearMacTable(words)
}

/** From the kernel itself: to load `node:crypto` takes a start 3 ms. */
function randomWords(count: number): Int32Array {
  const words = new Int32Array(count)
  const device = openSync('/dev/urandom', 'r')
  try {
    // Never less of so few bytes (random(4)).
    readSync(device, words)
  } finally {
    closeSync(device)
  }
  return words
}
