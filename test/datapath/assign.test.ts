/** Who polls which queue. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AssignableLcore, assignQueues, toTriples } from '../../src/datapath/assign.js'

const lcore = (index: number, ...ports: string[]): AssignableLcore => ({
  index,
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
      const result = assignQueues(lcores, all, before)
      for (const { port, id, queue } of all) {
        const owner = lcores.find(({ index }) => index === result.get(`${id}:${queue}`))
        const someoneMay = lcores.some(({ ports }) => ports === 'all' || ports.has(port))
        assert.equal(owner !== undefined, someoneMay, `seed ${seed}`)
        if (owner) assert.ok(owner.ports === 'all' || owner.ports.has(port), `seed ${seed}`)
      }
      assert.equal(toTriples(all, result).length, 3 * result.size)
    }
  })
})
