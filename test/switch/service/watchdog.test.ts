/** When systemd is told that all is well, and when not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LcoreView } from '../../../src/switch/control.js'
import { Watchdog } from '../../../src/switch/service/watchdog.js'

test('the interval is half of what systemd waits, and only for the process it means', () => {
  const pid = String(process.pid)
  assert.equal(Watchdog.interval({ WATCHDOG_USEC: '10000000', WATCHDOG_PID: pid }), 5000)
  assert.equal(Watchdog.interval({ WATCHDOG_USEC: '3000000' }), 1500)
  assert.equal(Watchdog.interval({ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '1' }), undefined)
  for (const WATCHDOG_USEC of ['', '0', 'x']) {
    assert.equal(Watchdog.interval({ WATCHDOG_USEC }), undefined)
  }
})

test('it pings while all lcores poll, and not while one stands still', {
  timeout: 60_000,
}, async () => {
  const polls: Record<string, number> = { a: 0, b: 0 }
  let isStill = false
  let broken = false
  const seen: string[] = []
  const next = async () => {
    const count = seen.length
    while (seen.length === count) await new Promise(setImmediate)
    return seen.at(-1)
  }
  using _watchdog = new Watchdog({
    intervalMs: 5,
    lcores: async () => {
      if (broken) {
        seen.push('broken')
        throw new Error('the switch is closing')
      }
      polls.a = (polls.a as number) + 1
      if (!isStill) polls.b = (polls.b as number) + 1
      else seen.push('looked')
      return Object.entries(polls).map(([name, count]) => ({
        name,
        counters: { polls: count } as LcoreView['counters'],
      }))
    },
    ping: () => seen.push('ping'),
    onStill: (names) => seen.push(`still: ${names}`),
  })
  assert.equal(await next(), 'ping')
  assert.equal(await next(), 'ping')
  isStill = true
  while (seen.at(-1) !== 'still: b') await next()
  const from = seen.length
  while (seen.length < from + 5) await next()
  // Told once, and no ping.
  assert.deepEqual(new Set(seen.slice(from)), new Set(['looked']))
  isStill = false
  assert.equal(await next(), 'ping')
  broken = true
  assert.equal(await next(), 'broken')
  assert.equal(await next(), 'broken')
})
