import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatMac } from '../../../src/headers/mac.js'
import { SharedFlows } from '../../../src/programs/flow-table/shared.js'
import { macEntries } from '../../../src/switch/bridge/index.js'
import { readGuardCounters } from '../../../src/switch/guards/guards.js'
import type { BridgeImage } from '../../../src/switch/image.js'
import makeSwitchProgram from '../../../src/switch/lcore/program.js'
import { broadcast, frame, station } from '../../programs/frames.js'
import { attached, settings } from '../images.js'
import { imageOf, SwitchLcore, userProgram } from './switch-lcore.js'

const [A, B] = [station(0xa), station(0xb)]
const names = ['a', 'b', 'c', 'd', 'e']

/** Two bridges: a, b and c, d; e belongs to none. */
async function two(one: Partial<BridgeImage> = {}) {
  const lcore = new SwitchLcore(names)
  const images = [imageOf('one', ['a', 'b'], one), imageOf('two', ['c', 'd'])] as const
  for (const image of images) await lcore.program.message({ type: 'bridge', image })
  return { lcore, program: lcore.program, images }
}

describe('bridges', () => {
  test('have ports of their own', async () => {
    const { lcore } = await two()
    assert.deepEqual(
      names.map((_, port) => lcore.reaches(port, broadcast(A))),
      [[1], [0], [3], [2], []],
    )
  })

  test('are there from the start where they are in the data', async () => {
    const ids = new Map(names.map((name, id) => [name, id]))
    const ports = { ids, names: new Map(names.map((name, id) => [id, name])) }
    const data = { bridges: [imageOf('one', ['a', 'e'])] }
    const lcore = new SwitchLcore(names)
    const program = await makeSwitchProgram({ lcore: 0, ports, data })
    program.burst(lcore.flow.receive(0, [broadcast(A)]))
    assert.equal(lcore.flow.sent().length, 1)
  })

  test('may get a port of another, and go', async () => {
    const { lcore, program, images } = await two()
    const ports = { ...images[0].ports, e: attached() }
    await program.message({ type: 'bridge', image: { ...images[0], ports } })
    assert.deepEqual(lcore.reaches(4, broadcast(A)), [0, 1])
    await program.message({ type: 'removeBridge', name: 'one' })
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [])
    assert.deepEqual(lcore.reaches(2, broadcast(A)), [3])
  })

  test('keep what they learnt with an image of the same memory, as a message brings it', async () => {
    const { lcore, program, images } = await two()
    const ports = { ...images[0].ports, e: attached() }
    lcore.reaches(1, broadcast(B))
    // What comes by a message is other objects over the same memory.
    await program.message(structuredClone({ type: 'bridge', image: { ...images[0], ports } }))
    assert.deepEqual(lcore.reaches(0, frame(A, B)), [1])
    const image = { ...images[0], ports, memory: imageOf('x', []).memory }
    await program.message({ type: 'bridge', image })
    assert.deepEqual(lcore.reaches(0, frame(A, B)), [1, 4])
  })

  test('take ports that come later', async () => {
    const { lcore, program } = await two()
    lcore.setPorts(['', 'b', 'c', 'd', 'e', 'a'])
    lcore.flow.memory.isReady[5] = 1
    assert.deepEqual(lcore.reaches(1, broadcast(B)), [5])
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [])
    program.close()
    assert.deepEqual(lcore.reaches(1, broadcast(B)), [])
  })

  test('have guards before and behind them', async () => {
    const { lcore, program, images } = await two()
    const security = [{ mac: '02:00:00:00:00:0a', ips: [] }]
    const ports = { ...images[0].ports, a: attached({ portSecurity: security }) }
    await program.message({ type: 'bridge', image: { ...images[0], ports } })
    assert.deepEqual(lcore.reaches(0, broadcast(A), broadcast(B)), [1])
    assert.equal(readGuardCounters(images[0].guards, 0).portSecurity, 1)
    assert.equal(macEntries(images[0].memory, new Map(), 300).length, 1)
    const mirror = {
      name: 'm',
      selectAll: true,
      selectSrcPort: [],
      selectDstPort: [],
      selectVlan: [],
      outputPort: 'e',
      outputVlan: undefined,
      snaplen: undefined,
    }
    const mirrored = { ...images[0].ports, e: attached() }
    const image = { ...images[0], ports: mirrored, settings: settings({ mirrors: [mirror] }) }
    await program.message({ type: 'bridge', image })
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [1, 4])
    assert.deepEqual(lcore.reaches(4, broadcast(B)), [])
  })
})

test('what goes to one port is policed there, and what goes nowhere is not', async () => {
  const { lcore, program, images } = await two()
  const ports = { ...images[0].ports, b: attached({ egressPacketPolicer: { cir: 1, cbs: 3 } }) }
  await program.message({ type: 'bridge', image: { ...images[0], ports } })
  assert.deepEqual(lcore.reaches(1, broadcast(B)), [0])
  assert.deepEqual(lcore.reaches(1, frame(A, B), frame(A, B)), [])
  assert.deepEqual(lcore.reaches(0, broadcast(A)), [1])
  const five = Array.from({ length: 5 }, () => frame(A, B))
  assert.deepEqual(lcore.reaches(0, ...five), [1, 1])
  assert.equal(readGuardCounters(images[0].guards, 1).egressPoliced, 3)
})

test('what port security refuses takes nothing from the policer of the port it was for', async () => {
  const { lcore, program, images } = await two()
  const ports = {
    a: attached({ portSecurity: [{ mac: formatMac(A), ips: [] }] }),
    b: attached({ egressPacketPolicer: { cir: 1, cbs: 3 } }),
  }
  await program.message({ type: 'bridge', image: { ...images[0], ports } })
  lcore.reaches(1, broadcast(B))
  const spoofed = frame(station(0xc), B)
  assert.deepEqual(lcore.reaches(0, spoofed, frame(A, B), spoofed, frame(A, B)), [1, 1])
  assert.deepEqual(lcore.reaches(0, frame(A, B), frame(A, B)), [1])
})

test('a program that throws when it is to end goes all the same', async (t) => {
  const said = t.mock.method(console, 'error', () => {})
  const program = { url: userProgram('will-not-go'), data: undefined }
  const { lcore, program: switched, images } = await two({ program })
  assert.deepEqual(lcore.reaches(0, broadcast(A)), [])
  const image = { ...images[0], program: undefined }
  await switched.message({ type: 'bridge', image })
  assert.deepEqual(lcore.reaches(0, broadcast(A)), [1])
  await switched.message({ type: 'bridge', image: images[0] })
  await switched.message({ type: 'removeBridge', name: 'one' })
  assert.deepEqual(lcore.reaches(0, broadcast(A)), [])
  assert.match(String(said.mock.calls[0]?.arguments[0]), /program will-not-go: close threw/)
  assert.equal(said.mock.callCount(), 2)
})

test('a bridge whose guards cannot be had drops its frames until it has others', async () => {
  const { lcore, program, images } = await two()
  const security = [{ mac: 'none', ips: [] }]
  const wrong = { ...images[0].ports, later: attached({ portSecurity: security }) }
  await program.message({ type: 'bridge', image: { ...images[0], ports: wrong } })
  assert.deepEqual(lcore.reaches(0, broadcast(A)), [1])
  lcore.setPorts([...names, 'later'])
  assert.deepEqual(lcore.reaches(0, broadcast(A)), [])
  assert.deepEqual(lcore.reaches(2, broadcast(A)), [3])
  await program.message({ type: 'bridge', image: images[0] })
  assert.deepEqual(lcore.reaches(0, broadcast(A)), [1])
})

describe('flows', () => {
  test('are policed by what they decide, whatever the bridge behind them decided last', async () => {
    const rules = ['in_port=a,actions=output:b', 'in_port=b,actions=normal']
    const flows = new SharedFlows({ rules, deliver: async () => {} })
    const { lcore, program, images } = await two({ flows: flows.replica() })
    const ports = { ...images[0].ports, b: attached({ egressPacketPolicer: { cir: 1, cbs: 3 } }) }
    await program.message({ type: 'bridge', image: { ...images[0], ports } })
    lcore.reaches(1, broadcast(B))
    assert.deepEqual(lcore.reaches(1, frame(B, A)), [0])
    assert.deepEqual(lcore.reaches(1, frame(A, B)), [])
    const five = Array.from({ length: 5 }, () => frame(A, B))
    assert.deepEqual(lcore.reaches(0, ...five), [1, 1, 1])
    flows.close()
  })

  test('decide, with the bridge behind normal, and follow their updates', async () => {
    const lcores: SwitchLcore[] = []
    const flows = new SharedFlows({
      rules: ['in_port=a,actions=output:b', 'in_port=b,actions=normal'],
      deliver: async (message) => {
        for (const lcore of lcores)
          await lcore.program.message({ type: 'flows', bridge: 'one', message })
      },
    })
    const { lcore, program, images } = await two({ flows: flows.replica() })
    assert.deepEqual(lcore.reaches(1, broadcast(B)), [0])
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [1])
    assert.equal(macEntries(images[0].memory, new Map(), 300).length, 1)
    await assert.rejects(
      program.message({ type: 'flows', bridge: 'three', message: {} }) as Promise<unknown>,
      /no bridge three/,
    )
    lcores.push(lcore)
    await flows.add('priority=40000,in_port=a,actions=drop')
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [])
    // The same image again, with the rules as they are now.
    await program.message({ type: 'bridge', image: { ...images[0], flows: flows.replica() } })
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [])
    await program.message({ type: 'bridge', image: { ...images[0], flows: undefined } })
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [1])
    flows.close()
  })
})

describe("a user's program", () => {
  const reverse = (data?: unknown) => ({ url: userProgram('reverse'), data })

  test('decides for its bridge alone, is told of its ports, asked when idle, and closed', async () => {
    globalThis.reverses = []
    const { lcore, program, images } = await two({ program: reverse() })
    const [told] = globalThis.reverses
    assert.ok(told !== undefined)
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [0])
    assert.deepEqual(lcore.reaches(2, broadcast(A)), [3])
    assert.deepEqual(told.names, ['a', 'b'])
    assert.equal(program.idle(lcore.flow.receive(0, [])), false)
    assert.equal(told.idles, 1)
    lcore.setPorts(['a', '', 'c', 'd', 'e'])
    assert.deepEqual(told.names, ['a'])
    // The same program again is the same.
    await program.message({ type: 'bridge', image: { ...images[0], program: reverse() } })
    assert.equal(globalThis.reverses.length, 1)
    await program.message({ type: 'bridge', image: { ...images[0], program: undefined } })
    assert.ok(told.closed)
    program.idle(lcore.flow.receive(0, []))
    assert.equal(told.idles, 1)
  })

  test('that cannot be had changes nothing', async () => {
    const { lcore, program, images } = await two()
    const put = (url: string) =>
      program.message({
        type: 'bridge',
        image: { ...images[0], ports: {}, program: { url, data: undefined } },
      }) as Promise<unknown>
    await assert.rejects(put(userProgram('missing')), /missing/)
    await assert.rejects(put(userProgram('wrong')), /makes no program/)
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [1])
  })

  test('that takes long to load leaves all as it was meanwhile, and changes wait for it', async () => {
    const { lcore, program, images } = await two()
    const slow = program.message({
      type: 'bridge',
      image: { ...images[0], program: reverse({ ms: 50 }) },
    })
    const after = program.message({ type: 'bridge', image: images[0] })
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [1])
    assert.deepEqual(lcore.reaches(2, broadcast(A)), [3])
    await slow
    await after
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [1])
  })

  test('that throws is put aside alone; the lcore, which counts all errors, never runs out of patience', async () => {
    const throws = { url: userProgram('throws'), data: undefined }
    const lcore = new SwitchLcore(names)
    const images = [
      imageOf('one', ['a'], { program: throws }),
      imageOf('two', ['b'], { program: throws }),
      imageOf('three', ['c', 'd']),
    ] as const
    for (const image of images) await lcore.program.message({ type: 'bridge', image })
    let inRow = 0
    let most = 0
    for (let i = 0; i < 100; i++) {
      const burst = lcore.flow.receive(i % 2, [broadcast(A)])
      try {
        lcore.program.burst(burst)
        inRow = 0
      } catch (error) {
        assert.match(String(error), /the user erred/)
        most = Math.max(most, ++inRow)
      }
      assert.deepEqual(lcore.flow.sent(), [])
    }
    assert.ok(most >= 5 && most < 10, `${most} in a row`)
    assert.deepEqual(lcore.program.message({ type: 'status' }), {
      bridges: {
        one: { aside: true, errors: 5 },
        two: { aside: true, errors: 5 },
        three: { aside: false, errors: 0 },
      },
    })
    assert.deepEqual(lcore.reaches(2, broadcast(A)), [3])
    const image = { ...images[0], program: { url: userProgram('reverse'), data: undefined } }
    await lcore.program.message({ type: 'bridge', image })
    assert.deepEqual(lcore.reaches(0, broadcast(A)), [0])
  })

  test('takes no message that it does not know', async () => {
    const { program } = await two()
    assert.throws(() => program.message({ type: 'what' }), /no message {"type":"what"}/)
  })
})
