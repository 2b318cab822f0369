import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildTcp, buildUdp } from '../../src/headers/build.js'
import { RuleBook } from '../../src/programs/flow-table/book.js'
import { CounterStripe } from '../../src/programs/flow-table/counter-memory.js'
import { Interpreter } from '../../src/programs/flow-table/interpreter.js'
import { Members } from '../../src/programs/flow-table/members.js'
import { Random, seeds } from '../headers/random.js'
import { MadeUpBurst } from '../support/made-up-burst.js'
import { TestLcores, TestReplica } from './lcores.js'
import { PORT_COUNT, randomFrame, randomRule } from './random-flows.js'

const addresses = {
  source: '02:00:00:00:00:01',
  destination: '02:00:00:00:00:02',
  sourceIp: '10.0.0.1',
  destinationIp: '10.0.0.2',
}
const tcp = buildTcp({ ...addresses, sourcePort: 1000, destinationPort: 80, minLength: 60 })
const udp = buildUdp({ ...addresses, sourcePort: 1000, destinationPort: 53, minLength: 60 })

const ports = (sent: readonly string[]) => sent.map((one) => Number.parseInt(one, 10))

/** The plainest switch: one book and one interpreter. */
class Model {
  readonly book = new RuleBook(() => 0, undefined, 1)
  readonly burst = new MadeUpBurst(PORT_COUNT)
  readonly #stripe: CounterStripe
  readonly #interpreter: Interpreter

  constructor() {
    const { roster, generation } = this.book.memory
    this.#stripe = new CounterStripe(roster, generation)
    const around = { members: new Members(), normal() {}, packetIn() {}, meter: () => false }
    this.#interpreter = new Interpreter(() => this.book.entries(), this.#stripe.counters, around)
  }

  change(make: (book: RuleBook) => { generation: SharedArrayBuffer | undefined }): void {
    const { generation } = make(this.book)
    if (generation !== undefined) this.#stripe.use(generation)
  }

  run(port: number, frames: readonly Uint8Array[]): string[] {
    this.#interpreter.burst(this.burst.receive(port, frames))
    return this.burst.sent()
  }
}

const counted = (rules: ReturnType<RuleBook['dump']>) =>
  rules.map(({ duration, idle, ...rest }) => rest)

describe('rules shared by lcores that come and go do what one interpreter does', () => {
  for (const seed of seeds()) {
    for (const kind of ['anything', 'tuples', 'prefixes'] as const) {
      test(`${kind}, seed ${seed}`, async () => {
        const random = new Random(seed)
        // What is behind `normal` is not part of this.
        const rule = () => randomRule(random, kind).replaceAll('normal', 'flood')
        const pool = Array.from({ length: 250 }, rule)
        const rules = pool.slice(0, 40)
        const shared = new TestLcores({ rules })
        const model = new Model()
        model.change((book) => book.add(rules))
        shared.start()
        const { flows } = shared
        for (let step = 0; step < 80; step++) {
          const text = random.pick(pool)
          const selection = text.replace(/,actions.*/, '')
          const strict = random.below(4) > 0
          const some = Array.from({ length: random.below(80) }, () => random.pick(pool))
          const done: Promise<unknown>[] = []
          switch (random.below(8)) {
            case 0:
              done.push(flows.delete(selection, { strict }))
              model.change((book) => book.delete(selection, strict))
              break
            case 1:
              if (text.includes('goto_table')) break
              done.push(flows.modify(text, { strict: true }))
              model.change((book) => book.modify(text, true))
              break
            case 2:
              done.push(flows.replace(some))
              model.change((book) => book.replace(some))
              break
            case 3:
              if (shared.lcores.length < 4) shared.start()
              else shared.end(random.pick(shared.lcores))
              break
            default:
              done.push(flows.add(text, ...some.slice(0, 3)))
              model.change((book) => book.add([text, ...some.slice(0, 3)]))
          }
          // Some lcores start while an update is on its way.
          if (random.below(4) === 0) shared.start()
          if (random.below(3) === 0) continue
          await Promise.all(done)
          await flows.sync()
          const frames = Array.from({ length: 16 }, () => randomFrame(random))
          const lcore = random.pick(shared.lcores)
          assert.deepEqual(lcore.run(1, frames), model.run(1, frames))
          assert.deepEqual(counted(flows.dump()), counted(model.book.dump({})))
          assert.deepEqual(flows.stats, model.book.stats)
        }
        flows.close()
      })
    }
  }
})

describe('updates', () => {
  test('are neither missed nor doubled by an lcore that starts while one is on its way', async () => {
    const shared = new TestLcores({ rules: ['actions=1'] })
    const old = shared.start()
    const added = shared.flows.add('priority=40000,tcp,actions=2')
    const between = shared.start()
    assert.deepEqual(ports(between.run(0, [tcp])), [2])
    assert.deepEqual(ports(old.run(0, [tcp])), [1])
    await added
    assert.deepEqual(ports(between.run(0, [tcp, udp])), [1, 2])
    assert.deepEqual(ports(old.run(0, [tcp])), [2])
    assert.deepEqual(
      shared.flows.dump().map(({ packets }) => packets),
      [3, 2],
    )
    shared.flows.close()
  })

  for (const many of [1, 2000]) {
    test(`of ${many} rules reach an lcore that started without them`, async () => {
      const shared = new TestLcores({ rules: ['priority=0,actions=1'] })
      shared.start()
      const late = new TestReplica(shared.flows.replica())
      const more = Array.from({ length: many }, (_, i) => `udp,tp_dst=${53 + i},actions=2`)
      await shared.flows.add(...more)
      assert.deepEqual(ports(late.run(0, [udp])), [1])
      shared.lcores.push(late)
      await shared.flows.sync()
      assert.deepEqual(ports(late.run(0, [udp])), [2])
      // Also without being asked to, with the next one.
      const later = new TestReplica(shared.flows.replica())
      await shared.flows.delete('udp,tp_dst=53')
      shared.lcores.push(later)
      await shared.flows.add('tcp,actions=3')
      assert.deepEqual(ports(later.run(0, [tcp, udp])), [1, 3])
      shared.flows.close()
    })
  }

  test('go on when an lcore ends without a word, and can be waited for', async () => {
    const shared = new TestLcores()
    const dying = shared.start()
    const other = shared.start()
    let times = 0
    shared.before = async () => {
      if (times++ > 0) return
      shared.lcores.splice(shared.lcores.indexOf(dying), 1)
      throw new Error('lcore has ended')
    }
    await shared.flows.add('tcp,actions=1')
    await shared.flows.add('udp,actions=2')
    assert.deepEqual(ports(other.run(0, [tcp, udp])), [1, 2])
    const { sent } = shared
    for (let i = 0; i < 10; i++) await shared.flows.add(`priority=${i},actions=3`)
    const extra = shared.sent - sent - 10
    assert.ok(extra < 10, `${extra} messages for an lcore that is not there`)
    shared.flows.close()
  })

  test('fail when nobody can be reached, and the next ones bring what was missed', async () => {
    const shared = new TestLcores()
    const lcore = shared.start()
    shared.before = async () => {
      throw new Error('no way')
    }
    await assert.rejects(shared.flows.add('tcp,actions=1'), /no way/)
    shared.before = async () => {}
    await shared.flows.add('udp,actions=2')
    assert.deepEqual(ports(lcore.run(0, [tcp, udp])), [1, 2])
    shared.flows.close()
  })

  test('that are wrong change nothing', async () => {
    const shared = new TestLcores({ rules: ['tcp,actions=1'] })
    const lcore = shared.start()
    const { flows } = shared
    await assert.rejects(flows.add('udp,actions=2', 'tcp,actions=outptu:2'), {
      name: 'ConfigError',
      message: /did you mean output\?/,
    })
    await assert.rejects(flows.replace(['udp,actions=2', 'tpc,actions=2']), { name: 'ConfigError' })
    await assert.rejects(flows.setMeters([{ id: 1, rate: 0 }]), /meters\[0\]\.rate/)
    assert.equal(flows.size, 1)
    assert.deepEqual(ports(lcore.run(0, [tcp, udp])), [1])
    assert.throws(() => lcore.table.add('actions=1'), /these rules are shared/)
    assert.throws(() => new TestLcores({ deliver: 1 as never }), /deliver = 1 is not a function/)
    flows.close()
  })

  test('replace leaves rules that stay with their counters', async () => {
    const shared = new TestLcores({ rules: ['tcp,actions=1', 'udp,actions=2', 'arp,actions=3'] })
    const lcore = shared.start()
    lcore.run(0, [tcp, udp])
    const outcome = await shared.flows.replace([
      'tcp,actions=output:1',
      'udp,actions=4',
      'icmp,actions=3',
    ])
    assert.deepEqual(outcome, { added: 2, deleted: 2 })
    assert.deepEqual(ports(lcore.run(0, [tcp, udp])), [1, 4])
    const packets = shared.flows.dump().map(({ match, packets }) => `${match} ${packets}`)
    assert.deepEqual(packets, ['tcp 2', 'udp 1', 'icmp 0'])
    shared.flows.close()
  })

  test('change meters while rules stay, and leave what other meters hold', async () => {
    const meters = [1, 2].map((id) => ({ id, unit: 'pktps' as const, rate: 3 }))
    const shared = new TestLcores({
      rules: ['tcp,actions=meter:1,1', 'udp,actions=meter:2,1'],
      meters,
    })
    const lcore = shared.start()
    const four = [tcp, tcp, tcp, tcp, udp, udp, udp, udp]
    assert.equal(lcore.run(0, four).length, 6)
    await shared.flows.setMeters([{ id: 1, unit: 'pktps', rate: 2 }, ...meters.slice(1)])
    assert.equal(lcore.run(0, four).length, 2)
    assert.equal(shared.flows.stats.others.metered, 2 + 6)
    shared.flows.close()
  })
})

describe('counters', () => {
  test('of an lcore that ended stay, and the next one goes on with its memory', async () => {
    const shared = new TestLcores({ rules: ['tcp,actions=1'] })
    const packets = () => shared.flows.dump()[0]?.packets
    const { roster } = shared.flows.replica()
    const taken = () =>
      Array.from({ length: 64 }, (_, i) => new Int32Array(roster)[32 + 32 * i]).filter(Boolean)
        .length
    for (let i = 1; i <= 200; i++) {
      const lcore = shared.start()
      lcore.run(0, [tcp])
      shared.end(lcore)
      assert.equal(packets(), i)
      assert.equal(taken(), 0)
    }
    shared.flows.close()
  })

  test('of lcores that nobody closed are not lost either', async () => {
    const shared = new TestLcores({ rules: ['tcp,actions=1', 'udp,actions=1'] })
    const lcores = Array.from({ length: 70 }, () => shared.start())
    for (const lcore of lcores) lcore.run(0, [tcp, udp, udp])
    assert.deepEqual(
      shared.flows.dump().map(({ packets, bytes }) => [packets, bytes]),
      [
        [70, 70 * 60],
        [140, 140 * 60],
      ],
    )
    shared.flows.close()
  })

  test('go on when there are more rules than there was room for', async () => {
    const shared = new TestLcores({ rules: ['tcp,actions=1'] })
    const [one, other] = [shared.start(), shared.start()]
    const packets = () => shared.flows.dump('tcp')[0]?.packets
    for (let i = 1; i <= 6; i++) {
      one.run(0, [tcp, tcp])
      other.run(0, [tcp])
      assert.equal(packets(), 3 * i)
      const more = Array.from({ length: 400 }, (_, n) => `udp,tp_src=${n},tp_dst=${i},actions=2`)
      await shared.flows.add(...more)
    }
    assert.equal(shared.flows.size, 2401)
    one.run(0, [buildUdp({ ...addresses, sourcePort: 399, destinationPort: 6 })])
    const [last] = shared.flows.dump('udp,tp_src=399,tp_dst=6')
    assert.equal(last?.packets, 1)
    shared.flows.close()
  })

  test('begin at 0 with each rule, whichever was counted there before', async () => {
    const shared = new TestLcores()
    const lcore = shared.start()
    for (let i = 0; i < 500; i++) {
      await shared.flows.add(`tcp,tp_dst=80,actions=${i % 4}`)
      lcore.run(0, [tcp])
      assert.deepEqual(
        shared.flows.dump().map(({ packets, bytes }) => [packets, bytes]),
        [[1, 60]],
      )
    }
    shared.flows.close()
  })
})

test('a rule is idle when it is on all lcores, and those that went are told of', async () => {
  let now = 5_000_000
  const gone: string[] = []
  const shared = new TestLcores(
    {
      rules: [
        'priority=1,hard_timeout=6,actions=1',
        'priority=2,tcp,idle_timeout=3,actions=2',
        'priority=3,udp,idle_timeout=3,actions=3',
      ],
      onRemoved: ({ priority, packets }, reason) => gone.push(`${priority} ${packets} ${reason}`),
    },
    () => now,
  )
  const [one, other] = [shared.start(), shared.start()]
  const pass = async (seconds: number) => {
    now += seconds * 1000
    shared.flows.dump()
    await shared.flows.sync()
  }
  // What was counted is seen when somebody looks, which is about once a second.
  one.run(0, [tcp, udp])
  await pass(0)
  await pass(2)
  other.run(0, [tcp])
  await pass(0)
  await pass(2)
  assert.deepEqual(gone, ['3 1 idle_timeout'])
  assert.deepEqual(ports(one.run(0, [udp])), [1])
  await pass(2)
  assert.deepEqual(gone.slice(1), ['1 1 hard_timeout', '2 2 idle_timeout'])
  assert.equal(shared.flows.size, 0)
  assert.deepEqual(one.run(0, [tcp, udp]), [])
  assert.equal(shared.flows.stats.others.missed, 2)
  shared.flows.close()
})

test('selections know names and numbers of ports once they are told', async () => {
  const shared = new TestLcores({ rules: ['in_port=a,actions=drop', 'in_port=1,actions=drop'] })
  const ids = new Map([
    ['a', 0],
    ['b', 1],
  ])
  const names = new Map([
    [0, 'a'],
    [1, 'b'],
  ])
  assert.equal(shared.flows.dump('in_port=b').length, 0)
  shared.flows.portsChanged({ ids, names })
  assert.equal(shared.flows.dump('in_port=b').length, 1)
  assert.equal(await shared.flows.delete('in_port=0'), 1)
  shared.flows.close()
})
