/** Who polls which queue. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AssignableLcore, assignQueues, toTriples } from '../../src/datapath/assign.js'

const lcore = (index: number, ...ports: string[]): AssignableLcore => ({
  index,
  name: `lcore${index}`,
  ports: ports.length === 0 ? 'all' : new Set(ports),
})
const queues = (...list: [port: string, id: number, queue: number][]) =>
  list.map(([port, id, queue]) => ({ port, id, queue }))
const four = queues(['a', 0, 0], ['a', 0, 1], ['b', 1, 0], ['b', 1, 1])

describe('assigning rx queues to lcores', () => {
  test('spreads them evenly', () => {
    const result = assignQueues([lcore(0), lcore(1)], four)
    assert.equal([...result.values()].filter((index) => index === 0).length, 2)
    assert.equal(result.size, 4)
  })

  test('only to lcores that may poll the port', () => {
    const result = assignQueues([lcore(0, 'a'), lcore(1, 'b')], four)
    assert.deepEqual(Object.fromEntries(result), { '0:0': 0, '0:1': 0, '1:0': 1, '1:1': 1 })
  })

  test('leaves out what nobody may poll', () => {
    assert.equal(assignQueues([lcore(0, 'a')], four).size, 2)
    assert.equal(assignQueues([], four).size, 0)
  })

  test('moves as few as possible when an lcore comes', () => {
    const before = assignQueues([lcore(0)], four)
    const after = assignQueues([lcore(0), lcore(1)], four, before)
    assert.equal([...after].filter(([key, index]) => before.get(key) === index).length, 2)
  })

  test('moves nothing when a queue comes and there is room', () => {
    const lcores = [lcore(0), lcore(1)]
    const before = assignQueues(lcores, four)
    const after = assignQueues(lcores, [...four, ...queues(['c', 2, 0])], before)
    for (const [key, index] of before) assert.equal(after.get(key), index)
  })

  test('gives the queues of an lcore that went to the others', () => {
    const before = assignQueues([lcore(0), lcore(1)], four)
    const after = assignQueues([lcore(1)], four, before)
    assert.deepEqual(new Set(after.values()), new Set([1]))
    assert.equal(after.size, 4)
  })

  test('gives a pinned queue to its lcore, whatever ports that names', () => {
    const pinned = four.map((queue, i) => (i === 1 ? { ...queue, pinnedTo: 'lcore1' } : queue))
    const result = assignQueues([lcore(0, 'a', 'b'), lcore(1, 'c')], pinned)
    assert.deepEqual(Object.fromEntries(result), { '0:0': 0, '0:1': 1, '1:0': 0, '1:1': 0 })
  })

  test('spreads the others around pinned ones', () => {
    const pinned = four.map((queue, i) => (i < 2 ? { ...queue, pinnedTo: 'lcore1' } : queue))
    const result = assignQueues([lcore(0), lcore(1)], pinned)
    assert.deepEqual(Object.fromEntries(result), { '0:0': 1, '0:1': 1, '1:0': 0, '1:1': 0 })
  })

  test('an lcore for pinned queues gets no others', () => {
    const isolated: AssignableLcore = { index: 1, name: 'lcore1', ports: 'pinned' }
    const pinned = four.map((queue, i) => (i === 0 ? { ...queue, pinnedTo: 'lcore1' } : queue))
    const result = assignQueues([lcore(0), isolated], pinned)
    assert.deepEqual(Object.fromEntries(result), { '0:0': 1, '0:1': 0, '1:0': 0, '1:1': 0 })
    assert.equal(assignQueues([isolated], pinned).size, 1)
  })

  test('a queue whose lcore is gone goes to another, and back when that returns', () => {
    const pinned = four.map((queue, i) => (i === 0 ? { ...queue, pinnedTo: 'lcore1' } : queue))
    const both = [lcore(0), lcore(1)]
    const before = assignQueues(both, pinned)
    const without = assignQueues([lcore(0)], pinned, before)
    assert.equal(without.get('0:0'), 0)
    assert.equal(assignQueues(both, pinned, without).get('0:0'), 1)
  })

  test('disabled queues do not count as work', () => {
    const some = four.map((queue) => (queue.port === 'a' ? { ...queue, disabled: true } : queue))
    const before = new Map(four.map(({ id, queue }) => [`${id}:${queue}`, id]))
    const after = assignQueues([lcore(0), lcore(1)], some, before)
    assert.deepEqual([after.get('0:0'), after.get('0:1')], [0, 0])
    assert.notEqual(after.get('1:0'), after.get('1:1'))
  })

  test('settles whatever it starts from', () => {
    for (let seed = 1; seed <= 200; seed++) {
      let state = seed
      const random = (below: number) => {
        state = (state * 1103515245 + 12345) & 0x7fffffff
        return (state >> 8) % below
      }
      const names = ['a', 'b', 'c', 'd']
      const lcores = Array.from({ length: 1 + random(4) }, (_, index) =>
        lcore(index, ...names.filter(() => random(2) === 0)),
      )
      const all = queues(
        ...names.flatMap((name, id) =>
          Array.from(
            { length: random(5) },
            (_, queue) => [name, id, queue] as [string, number, number],
          ),
        ),
      )
      const before = new Map(all.map(({ id, queue }) => [`${id}:${queue}`, random(5)]))
      const disabled = all.map((queue) => ({ ...queue, disabled: random(3) === 0 }))
      const result = assignQueues(lcores, disabled, before)
      for (const { port, id, queue } of all) {
        const owner = lcores.find(({ index }) => index === result.get(`${id}:${queue}`))
        const may = ({ ports }: AssignableLcore) =>
          ports === 'all' || (ports !== 'pinned' && ports.has(port))
        assert.equal(owner !== undefined, lcores.some(may), `seed ${seed}`)
        if (owner) assert.ok(may(owner), `seed ${seed}`)
      }
      assert.equal(toTriples(all, result).length, 3 * result.size)
    }
  })
})
