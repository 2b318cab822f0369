import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '../../src/config/config-error.js'
import makeCrossConnect, {
  type CrossConnect,
  crossConnect,
} from '../../src/programs/cross-connect.js'
import { broadcast, station } from './frames.js'
import { TestLcore } from './test-lcore.js'

const hello = broadcast(station(1))

/** Where a frame from each of `ports` goes. */
function peers(lcore: TestLcore, ports: number[]): (number | undefined)[] {
  return ports.map((port) => lcore.run(port, hello, new Uint8Array(1)).sent[1]?.[1])
}

describe('by id', () => {
  test('0 and 1, 2 and 3, an odd one out', () => {
    const lcore = new TestLcore(crossConnect(), ['a', 'b', 'c', 'd', 'e'])
    assert.deepEqual(peers(lcore, [0, 1, 2, 3, 4]), [1, 0, 3, 2, undefined])
    assert.deepEqual(lcore.run(4, hello).dropped, [0])
  })

  test('a port that leaves does not rewire the others', () => {
    const lcore = new TestLcore(crossConnect(), ['a', 'b', 'c', 'd'])
    lcore.names.delete(1)
    lcore.portsChanged()
    assert.deepEqual(peers(lcore, [0, 2, 3]), [undefined, 3, 2])
    lcore.names.set(1, 'new')
    lcore.portsChanged()
    assert.deepEqual(peers(lcore, [0, 1]), [1, 0])
  })
})

describe('by name', () => {
  const pairs = [
    ['a', 'd'],
    ['b', 'later'],
  ] as const

  test('ports that are not there yet are wired when they come', () => {
    const program = crossConnect({ pairs })
    const lcore = new TestLcore(program, ['a', 'b', 'c', 'd'])
    assert.deepEqual(peers(lcore, [0, 1, 2, 3]), [3, undefined, undefined, 0])
    assert.deepEqual(program.message({ type: 'pairs' }), [['a', 'd']])
    lcore.names.set(7, 'later')
    lcore.portsChanged()
    assert.deepEqual(peers(lcore, [1, 7]), [7, 1])
    lcore.names.delete(0)
    lcore.portsChanged()
    assert.deepEqual(peers(lcore, [0, 3]), [undefined, undefined])
    assert.deepEqual(program.pairs(), [['b', 'later']])
  })

  test('the module takes them from its data', () => {
    const context = { ports: { ids: new Map(), names: new Map() }, lcore: 0 }
    const program = makeCrossConnect({ ...context, data: { pairs: [['b', 'c']] } }) as CrossConnect
    assert.deepEqual(peers(new TestLcore(program, ['a', 'b', 'c']), [0, 1, 2]), [undefined, 2, 1])
    assert.deepEqual(
      peers(new TestLcore(makeCrossConnect({ ...context, data: undefined }), ['a', 'b']), [0, 1]),
      [1, 0],
    )
  })

  for (const [name, given, message] of [
    [
      'a port in two pairs',
      {
        pairs: [
          ['a', 'b'],
          ['c', 'a'],
        ],
      },
      /pairs\[1\]\[1\] = "a" is wired already/,
    ],
    ['a port and itself', { pairs: [['a', 'a']] }, /is wired already/],
    ['three ports', { pairs: [['a', 'b', 'c']] }, /two names of ports/],
    ['no list', { pairs: 'a' }, /pairs = "a" is a string/],
    ['another key', { pair: [] }, /did you mean pairs/],
  ] as const) {
    test(`${name} is refused`, () => {
      assert.throws(
        () => crossConnect(given as never),
        (error) => error instanceof ConfigError && message.test(error.message),
      )
    })
  }
})

test('an unknown message gets the list of the known', () => {
  for (const message of [{ type: 'entries' }, 'pairs', null, {}, { type: 'toString' }]) {
    assert.throws(
      () => crossConnect().message(message),
      /cross-connect answers \{ type: 'pairs' \}/,
    )
  }
})
