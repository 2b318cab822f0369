import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { MacTable } from '../../src/programs/mac-table.js'
import { MacTableLock } from '../../src/programs/mac-table-lock.js'
import { initMacTable, macTableBytes } from '../../src/programs/mac-table-memory.js'

describe('the lock of a MAC table', () => {
  const buffer = new SharedArrayBuffer(macTableBytes(16))
  const words = new Int32Array(buffer)
  let table: MacTable
  let one: MacTableLock
  let other: MacTableLock

  beforeEach(() => {
    initMacTable(buffer, 16)
    table = new MacTable(buffer)
    one = new MacTableLock(words)
    other = new MacTableLock(words)
    table.learn(1, 2, 3, 0)
  })

  test('is had by one at a time', () => {
    assert.ok(one.try(0) && !other.try(0) && !one.try(0))
    one.release()
    assert.ok(other.try(0))
    other.release()
    assert.equal(table.size, 1)
  })

  test('is not taken from someone who takes it again and again', () => {
    for (let now = 0; now < 10; now++) {
      assert.ok(one.try(now))
      assert.ok(!other.try(now))
      one.release()
    }
  })

  test('is taken over after two seconds in the same hands, and the table emptied', () => {
    assert.ok(one.try(0))
    assert.ok(!other.try(10) && !other.try(11) && other.try(12))
    assert.equal(table.size, 0)
    other.release()
    assert.notEqual(table.learn(1, 2, 3, 0), -2)
  })

  test('is taken over after a wait where the time is not known', () => {
    assert.ok(one.try(0))
    other.wait(0)
    assert.equal(table.size, 0)
    other.release()
  })

  test('is missed by the sleeper it was taken from, whose changes are undone', () => {
    assert.ok(one.try(0))
    other.wait(0)
    other.release()
    table.learn(1, 2, 3, 0)
    one.release()
    assert.equal(table.size, 1)
    // Whoever has it next cannot know what the sleeper changed.
    assert.ok(other.try(0))
    assert.equal(table.size, 0)
    other.release()
  })
})
