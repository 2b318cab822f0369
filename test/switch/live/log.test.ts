import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LimitedLog, type SwitchLog } from '../../../src/switch/live/log.js'

function lines(): { lines: string[]; log: SwitchLog } {
  const kept: string[] = []
  const keep = (level: string) => (message: string) => kept.push(`${level} ${message}`)
  const log = {
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  }
  return { lines: kept, log }
}

describe('a log for what guests can cause', () => {
  test('a flood becomes a few lines, one a second, and a number', () => {
    const kept = lines()
    let now = 0
    const limited = new LimitedLog(kept.log, () => now)
    for (let i = 0; i < 1000; i++) limited.write('info', 'port a', `line ${i}`)
    assert.equal(kept.lines.length, 10)
    assert.equal(kept.lines[9], 'info line 9')
    now = 1000
    for (let i = 0; i < 1000; i++) limited.write('info', 'port a', `again ${i}`)
    assert.deepEqual(kept.lines.slice(10), [
      'info port a: 990 more lines were withheld',
      'info again 0',
    ])
  })

  test('one source does not silence another', () => {
    const kept = lines()
    const limited = new LimitedLog(kept.log, () => 0)
    for (let i = 0; i < 100; i++) limited.write('info', 'port a', 'a')
    limited.write('error', 'port b', 'b')
    assert.equal(kept.lines.at(-1), 'error b')
  })

  test('what was withheld is told even if nothing follows', () => {
    const kept = lines()
    let now = 0
    const limited = new LimitedLog(kept.log, () => now)
    for (let i = 0; i < 12; i++) limited.write('info', 'port a', 'a')
    limited.flush()
    assert.equal(kept.lines.length, 10)
    now = 5000
    limited.flush()
    limited.flush()
    assert.deepEqual(kept.lines.slice(10), ['info port a: 2 more lines were withheld'])
  })
})
