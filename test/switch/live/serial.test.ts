import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Serial } from '../../../src/switch/live/serial.js'

describe('jobs one after the other', () => {
  test('in the order they were given, whatever becomes of them', async () => {
    const serial = new Serial()
    const done: string[] = []
    const slow = serial.run(async () => {
      await delay(20)
      done.push('slow')
      throw new Error('failed')
    })
    const quick = serial.run(async () => done.push('quick'))
    await assert.rejects(slow, /failed/)
    await quick
    assert.deepEqual(done, ['slow', 'quick'])
  })

  test('closing waits for what runs and refuses the rest', async () => {
    const serial = new Serial()
    let finished = false
    const running = serial.run(async () => {
      await delay(20)
      finished = true
    })
    const waiting = serial.run(async () => {})
    await Promise.resolve()
    const closed = serial.close(new Error('over'))
    await assert.rejects(waiting, /over/)
    await assert.rejects(
      serial.run(async () => {}),
      /over/,
    )
    await closed
    await running
    assert.ok(finished)
  })
})
