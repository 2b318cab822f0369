import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Burst, BurstWord } from '../../src/burst/burst.js'
import { buildTcp, buildUdp } from '../../src/headers/build.js'
import { Headers } from '../../src/headers/headers.js'
import {
  verifyIpv4Checksum,
  verifyTransportChecksum,
} from '../../src/headers/transport-checksum.js'
import type { FlowStatus, RuleBook } from '../../src/programs/flow-table/book.js'
import type { FlowCounters } from '../../src/programs/flow-table/entry.js'
import { Interpreter } from '../../src/programs/flow-table/interpreter.js'
import { Members } from '../../src/programs/flow-table/members.js'
import { flowTable } from '../../src/programs/flow-table/program.js'
import type { Surroundings } from '../../src/programs/flow-table/send.js'
import { FlowTables } from '../../src/programs/flow-table/table.js'
import type { Program } from '../../src/programs/program.js'
import { Random, seeds } from '../headers/random.js'
import { MadeUpBurst } from '../support/made-up-burst.js'
import { PORT_COUNT, randomFrame, randomRule } from './random-flows.js'

const tcp = buildTcp({
  source: '02:00:00:00:00:01',
  destination: '02:00:00:00:00:02',
  sourceIp: '10.0.0.1',
  destinationIp: '10.0.0.2',
  sourcePort: 1000,
  destinationPort: 80,
  minLength: 60,
})

function around(): Surroundings {
  return { members: new Members(), normal() {}, packetIn() {}, meter: () => true }
}

/** Tables with a clock of their own. */
function tablesAt(): { tables: FlowTables; pass(seconds: number): void; gone: string[] } {
  let now = 5_000_000
  const gone: string[] = []
  const note = (rule: FlowStatus, reason: string) => gone.push(`${rule.priority} ${reason}`)
  const tables = new FlowTables(around(), note, () => now)
  const pass = (seconds: number) => {
    now += seconds * 1000
    tables.tick(now)
  }
  return { tables, pass, gone }
}

/** What was counted so far. */
function countersOf({ memory }: RuleBook): FlowCounters {
  const rules = new Float64Array(2 * memory.capacity)
  for (let i = 0; i < memory.capacity; i++) rules.set([memory.packets(i), memory.bytes(i)], 2 * i)
  return { rules, other: Float64Array.from({ length: 8 }, (_, i) => memory.other(i)) }
}

/** Ports a frame goes to. */
function ports(tables: FlowTables, frame = tcp, inPort = 0): number[] {
  const burst = new MadeUpBurst(PORT_COUNT)
  tables.follower.compiled.burst(burst.receive(inPort, [frame]))
  return burst.sent().map((sent) => Number.parseInt(sent, 10))
}

describe('rules', () => {
  test('the greatest priority decides, then the first that was added', () => {
    const { tables } = tablesAt()
    tables.add([
      'priority=1,actions=1',
      'priority=5,tcp,actions=2',
      'priority=5,in_port=0,actions=3',
    ])
    assert.deepEqual(ports(tables), [2])
  })

  test('one with the same match and priority takes the place of the other, counters at 0', () => {
    const { tables } = tablesAt()
    tables.add(['tcp,actions=1'])
    assert.deepEqual(ports(tables), [1])
    tables.add(['tcp,actions=2'])
    assert.deepEqual(ports(tables), [2])
    assert.deepEqual(
      tables.dump().map(({ packets, bytes }) => [packets, bytes]),
      [[1, 60]],
    )
  })

  test('are modified with their counters kept', () => {
    const { tables } = tablesAt()
    tables.add(['priority=7,tcp,tp_dst=80,actions=1', 'udp,actions=1'])
    ports(tables)
    assert.equal(tables.modify('tcp,actions=3'), 1)
    assert.deepEqual(ports(tables), [3])
    assert.equal(tables.dump('tcp')[0]?.packets, 2)
    assert.equal(tables.modify('tcp,actions=4', { strict: true }), 0)
  })

  test('are not modified into going backwards', () => {
    const { tables } = tablesAt()
    tables.add(['table=5,tcp,actions=1'])
    assert.throws(
      () => tables.modify('tcp,actions=goto_table:3'),
      /go to a table with a higher number/,
    )
  })

  test('are deleted with all that are narrower, or strictly', () => {
    const { tables } = tablesAt()
    tables.add([
      'priority=7,tcp,tp_dst=80,actions=1',
      'priority=8,tcp,actions=2',
      'priority=9,udp,actions=1',
    ])
    assert.equal(tables.delete('tcp', { strict: true }), 0)
    assert.equal(tables.delete('priority=8,tcp', { strict: true }), 1)
    assert.equal(tables.delete('tcp'), 1)
    assert.equal(tables.delete(), 1)
    assert.equal(tables.book.size, 0)
    assert.deepEqual(ports(tables), [])
  })

  test('that are wrong change nothing, and every problem is named', () => {
    const { tables } = tablesAt()
    tables.add(['actions=1'])
    assert.throws(
      () =>
        tables.add([
          'tcp,actions=2',
          { match: { ip_dts: '1.2.3.4', tcp: true }, actions: ['flod'] },
        ]),
      (error: Error) => {
        assert.match(
          error.message,
          /rules\[1\]\.match\.ip_dts = "1\.2\.3\.4" is not a field; did you mean ip_dst\?/,
        )
        assert.match(
          error.message,
          /rules\[1\]\.actions\[0\] = "flod" has flod, which is no action here; did you mean flood\?/,
        )
        return true
      },
    )
    assert.equal(tables.book.size, 1)
  })

  test('have no actions by names that every object has', () => {
    const { tables } = tablesAt()
    for (const name of ['__proto__', 'constructor', 'toString'])
      assert.throws(() => tables.add([`actions=${name}`]), /which is no action here/)
  })

  test('written as objects are held to their protocols', () => {
    const { tables } = tablesAt()
    const rule = { match: { nw_src: '10.0.0.1' }, actions: [{ output: 1 }] }
    assert.throws(
      () => tables.add([rule]),
      /matches on nw_src without its protocol; match on one of ip, arp/,
    )
    tables.add([{ ...rule, match: { ip: true, nw_src: '10.0.0.0/8' } }])
    assert.deepEqual(ports(tables), [1])
  })
})

describe('timeouts', () => {
  test('a rule goes when it is over, and one without frames', () => {
    const { tables, pass, gone } = tablesAt()
    tables.add([
      'priority=1,hard_timeout=5,actions=1',
      'priority=2,tcp,idle_timeout=3,actions=2',
      'priority=3,udp,idle_timeout=3,actions=3',
    ])
    pass(2)
    ports(tables)
    pass(2)
    assert.deepEqual(gone, ['3 idle_timeout'])
    pass(2)
    assert.deepEqual(gone, ['3 idle_timeout', '1 hard_timeout'])
    pass(2)
    assert.equal(tables.book.size, 0)
  })
})

describe('updates among 10,000 rules', () => {
  const many = Array.from(
    { length: 10_000 },
    (_, i) => `tcp,nw_src=10.${i >> 8}.${i & 255}.1,tp_dst=80,actions=${i % 4}`,
  )
  const prefixes = Array.from(
    { length: 10_000 },
    (_, i) =>
      `priority=${16 + (i % 3) * 4},ip,nw_dst=10.${i >> 8}.${i & 255}.0/${16 + (i % 3) * 4},actions=${i % 4}`,
  )
  for (const [name, rules, more] of [
    ['tuples', many, 'tcp,nw_src=10.0.0.99,tp_dst=80,actions=2'],
    ['prefixes', prefixes, 'priority=24,ip,nw_dst=10.200.1.0/24,actions=2'],
  ] as const) {
    test(`${name}: one rule takes less than 50 ms`, () => {
      const { tables } = tablesAt()
      tables.add(rules)
      const change = (work: () => void) => {
        // Of the processor, as other processes may have it for as long.
        const before = process.cpuUsage()
        work()
        const { user, system } = process.cpuUsage(before)
        return (user + system) / 1000
      }
      const bare = more.replace(/,actions.*/, '')
      const took = {
        add: change(() => tables.add([more])),
        replace: change(() => tables.add([more])),
        modify: change(() => tables.modify(more, { strict: true })),
        'other actions': change(() =>
          tables.modify(`${bare},actions=dec_ttl,flood`, { strict: true }),
        ),
        delete: change(() => tables.delete(bare, { strict: true })),
        'another mask': change(() => tables.add(['udp,dl_src=02:00:00:00:00:09,actions=3'])),
        'delete that': change(() => tables.delete('udp,dl_src=02:00:00:00:00:09')),
        'another table': change(() => tables.add(['table=7,actions=normal'])),
      }
      assert.ok(Math.max(...Object.values(took)) < 50, JSON.stringify(took))
    })
  }
})

test('a prefix goes from the search it is in, also when others are in a trie', () => {
  const { tables } = tablesAt()
  // A hash of one length first, then one by one what becomes a trie.
  tables.add(Array.from({ length: 12 }, (_, i) => `ip,nw_dst=10.0.${i}.0/24,actions=1`))
  for (let bits = 8; bits < 28; bits++)
    tables.add([`priority=40000,ip,nw_dst=192.168.${bits}.0/${bits},actions=2`])
  const kinds = tables.follower.compiled.explain().tables[0]?.searches.map(({ kind }) => kind)
  assert.deepEqual(kinds?.sort(), ['hash', 'prefix'])
  assert.deepEqual(ports(tables), [1])
  assert.equal(tables.delete('ip,nw_dst=10.0.0.0/24', { strict: true }), 1)
  assert.deepEqual(ports(tables), [])
})

describe('tables that were changed do what tables do that were made so', () => {
  for (const seed of seeds()) {
    for (const kind of ['anything', 'tuples', 'prefixes'] as const) {
      test(`${kind}, seed ${seed}`, () => {
        const random = new Random(seed)
        const { tables } = tablesAt()
        const pool = Array.from({ length: 250 }, () => randomRule(random, kind))
        tables.add(pool.slice(0, 60))
        for (let step = 0; step < 300; step++) {
          const text = random.pick(pool)
          if (random.below(3) > 0) tables.add([text])
          else tables.delete(text.replace(/,actions.*/, ''), { strict: random.below(4) > 0 })
          if (step % 5 !== 0) continue
          const { book } = tables
          const counters = countersOf(book)
          const interpreter = new Interpreter(() => book.entries(), counters, around())
          const one = new MadeUpBurst(PORT_COUNT)
          const other = new MadeUpBurst(PORT_COUNT)
          const frames = Array.from({ length: 16 }, () => randomFrame(random))
          interpreter.burst(one.receive(1, frames))
          tables.follower.compiled.burst(other.receive(1, frames))
          assert.deepEqual(other.sent(), one.sent())
          assert.deepEqual(countersOf(book), counters)
        }
      })
    }
  }
})

describe('the program', () => {
  const udp = buildUdp({
    source: '02:00:00:00:00:02',
    destination: '02:00:00:00:00:01',
    sourceIp: '10.0.0.2',
    destinationIp: '10.0.0.1',
    sourcePort: 53,
    destinationPort: 1000,
  })
  const directory = {
    ids: new Map([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ]),
    names: new Map([
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
    ]),
  }

  function run(
    program: ReturnType<typeof flowTable>,
    burst: MadeUpBurst,
    port: number,
    ...frames: Uint8Array[]
  ) {
    program.burst(burst.receive(port, frames))
    return burst.sent().map((sent) => Number.parseInt(sent, 10))
  }

  test('knows ports by their names, also those that come later', () => {
    const program = flowTable(['in_port=a,actions=output:b', 'in_port=b,actions=output:d'])
    const burst = new MadeUpBurst(4)
    assert.deepEqual(run(program, burst, 0, tcp), [])
    program.portsChanged(directory)
    assert.deepEqual(run(program, burst, 0, tcp), [1])
    assert.deepEqual(run(program, burst, 1, tcp), [])
    program.portsChanged({ ids: new Map([...directory.ids, ['d', 3]]), names: directory.names })
    assert.deepEqual(run(program, burst, 1, tcp), [3])
  })

  test('sends to the ports it is told of and to no others', () => {
    const outputs = ['flood', 'all', 'output:0', 'output:2', 'output:4', 'output:b', 'output:x']
    const program = flowTable()
    const entries = (ids: [string, number][]) => ({
      ids: new Map(ids),
      names: new Map(ids.map(([name, id]) => [id, name])),
    })
    const sent = (port: number) =>
      outputs.map((output) => {
        program.add(`actions=${output}`)
        return run(program, burst, port, tcp)
      })
    const burst = new MadeUpBurst(5)
    assert.deepEqual(sent(0), [[1, 2, 3, 4], [1, 2, 3, 4], [], [2], [4], [], []])
    program.portsChanged(
      entries([
        ['a', 0],
        ['b', 2],
      ]),
    )
    assert.deepEqual(sent(0), [[2], [2], [], [2], [], [2], []])
    assert.deepEqual(sent(2), [[0], [0], [0], [], [], [], []])
    program.portsChanged(
      entries([
        ['a', 0],
        ['b', 4],
        ['x', 3],
      ]),
    )
    assert.deepEqual(sent(0), [[3, 4], [3, 4], [], [], [4], [4], [3]])
    // What is not ready is not flooded to; who becomes ready is.
    const { memory } = burst
    const setReady = (ids: number[]) => {
      memory.readyPorts.set(ids)
      memory.words[BurstWord.readyCount] = ids.length
      memory.words[BurstWord.readyEpoch] = (memory.words[BurstWord.readyEpoch] as number) + 1
    }
    setReady([0, 1, 4])
    assert.deepEqual(sent(0)[0], [4])
    setReady([3, 4])
    assert.deepEqual(sent(0)[0], [3, 4])
  })

  for (const count of [3, 20, 2000]) {
    test(`has rules of ports that come, go and change places, ${count} of them`, () => {
      // Rules that match on a name, that send to one, that do both, and that do neither.
      const rules = Array.from({ length: count }, (_, i) => `tcp,tp_src=${i + 2000},actions=1`)
      const program = flowTable([
        ...rules,
        'priority=5,in_port=a,actions=output:b',
        'priority=4,in_port=c,udp,actions=output:d',
        'priority=3,in_port=0,actions=output:d',
        'priority=2,actions=drop',
      ])
      const names = ['a', 'b', 'c', 'd']
      const burst = new MadeUpBurst(4)
      for (const order of ['abcd', 'abcd', 'dcba', 'cbad', 'ab', 'b', 'cd', 'abcd', 'abdc']) {
        const ids = new Map([...order].map((name, id) => [name, id]))
        const directory = { ids, names: new Map([...ids].map(([name, id]) => [id, name])) }
        program.portsChanged(directory)
        for (let port = 0; port < names.length; port++) {
          const name = order[port]
          const expected = (isUdp: boolean) => {
            const last = isUdp && name === 'c' ? 'd' : port === 0 ? 'd' : ''
            const to = order.indexOf(name === 'a' ? 'b' : last || '-')
            return to < 0 || to === port ? [] : [to]
          }
          assert.deepEqual(run(program, burst, port, tcp), expected(false), `${order} ${port} tcp`)
          assert.deepEqual(run(program, burst, port, udp), expected(true), `${order} ${port} udp`)
        }
      }
    })
  }

  test('hands frames to the switch behind normal', () => {
    const program = flowTable([
      'udp,actions=normal',
      'tcp,actions=mod_nw_dst:10.9.9.9,normal,output:c',
    ])
    program.portsChanged(directory)
    const burst = new MadeUpBurst(3)
    assert.deepEqual(run(program, burst, 1, udp), [0, 2])
    assert.deepEqual(run(program, burst, 0, tcp), [1, 2])
    assert.deepEqual(run(program, burst, 1, udp), [0])
    const entries = program.message({ type: 'normal', message: { type: 'entries' } }) as object[]
    assert.equal(entries.length, 2)
  })

  test('keeps what the switch behind normal changes from other ports', () => {
    const normal: Program = {
      name: 'changes',
      burst({ count, bytes, offset, outPort }) {
        for (let i = 0; i < count; i++) {
          bytes.fill(9, offset[i], (offset[i] as number) + 6)
          outPort[i] = 2
        }
      },
    }
    for (const actions of ['normal,output:b', 'output:b,normal', 'normal,normal,output:b']) {
      const program = flowTable({ rules: [`actions=${actions}`], normal })
      program.portsChanged(directory)
      const burst = new MadeUpBurst(3)
      program.burst(burst.receive(0, [udp]))
      const sent = burst.sent()
      const changed = `2:${'09'.repeat(6)}`
      const times = actions.startsWith('normal,normal') ? 2 : 1
      assert.equal(sent.filter((line) => line.startsWith(changed)).length, times, actions)
      assert.deepEqual(
        sent.filter((line) => line.startsWith('1:')),
        [`1:${Buffer.from(udp).toString('hex')}`],
        actions,
      )
    }
  })

  test('hands the burst itself to the switch behind normal where that gets all of it', () => {
    const seen: (readonly [itself: boolean, frames: number])[] = []
    let burst: Burst
    let made: MadeUpBurst
    const normal: Program = {
      name: 'looks',
      burst(shown) {
        seen.push([shown === burst, shown.count])
        shown.outPort.fill(2, 0, shown.count)
      },
    }
    const sentOf = (rules: string[], frames: Uint8Array[]) => {
      const program = flowTable({ rules, normal })
      program.portsChanged(directory)
      made = new MadeUpBurst(3)
      burst = made.receive(0, frames)
      program.burst(burst)
      return made.sent().map((line) => line.slice(0, 1))
    }
    assert.deepEqual(sentOf(['actions=normal'], [udp, tcp, udp]), ['2', '2', '2'])
    assert.deepEqual(seen.splice(0), [[true, 3]])
    // One is dropped, one goes elsewhere too, each gets there twice.
    assert.deepEqual(sentOf(['udp,actions=normal'], [udp, tcp, udp]), ['2', '2'])
    assert.deepEqual(sentOf(['actions=normal,output:b'], [udp]).sort(), ['1', '2'])
    assert.deepEqual(sentOf(['actions=normal,normal'], [udp]), ['2', '2'])
    assert.deepEqual(seen, [
      [false, 2],
      [false, 1],
      [false, 2],
    ])
  })

  test('the switch behind normal that throws decides nothing, and leaves what looks at flushes', () => {
    let throws = true
    const normal: Program = {
      name: 'throws',
      burst(shown) {
        shown.outPort[0] = 2
        shown.copyTo(0, 1)
        shown.beforeFlush = () => {}
        if (throws) throw new Error('no')
      },
    }
    const program = flowTable({ rules: ['actions=normal'], normal })
    program.portsChanged(directory)
    const own = () => {}
    for (throws of [true, false]) {
      const made = new MadeUpBurst(3)
      const burst = made.receive(0, [udp])
      burst.beforeFlush = own
      if (throws) assert.throws(() => program.burst(burst), /no/)
      else program.burst(burst)
      assert.equal(made.sent().length, throws ? 0 : 2)
      assert.equal(burst.beforeFlush, own)
    }
  })

  test('hands copies to the controller', () => {
    const seen: [number, number, string][] = []
    const program = flowTable({
      rules: [
        'cookie=7,tcp,actions=controller:20,mod_dl_dst:02:00:00:00:00:09,controller,output:1',
      ],
      onPacketIn: ({ bytes, length, totalLength }) =>
        seen.push([length, totalLength, Buffer.from(bytes.subarray(0, 6)).toString('hex')]),
    })
    assert.deepEqual(run(program, new MadeUpBurst(3), 0, tcp), [1])
    assert.deepEqual(seen, [
      [20, 60, '020000000002'],
      [60, 60, '020000000009'],
    ])
  })

  test('meters drop what is too much', () => {
    const program = flowTable({
      rules: ['tcp,actions=meter:1,output:1', 'udp,actions=meter:2,output:1'],
      meters: [
        { id: 1, unit: 'pktps', rate: 10, burst_size: 3 },
        { id: 2, rate: 1 },
      ],
    })
    const burst = new MadeUpBurst(3)
    assert.equal(run(program, burst, 0, tcp, tcp, tcp, tcp, tcp).length, 3)
    burst.pass(0.2)
    assert.equal(run(program, burst, 0, tcp, tcp, tcp).length, 2)
    assert.equal(run(program, burst, 0, udp, udp, udp).length, 2)
    assert.equal(program.stats.others.metered, 4)
  })

  test('is changed and asked by messages', () => {
    const program = flowTable()
    program.message({ type: 'add', rules: ['tcp,actions=output:1'] })
    const burst = new MadeUpBurst(3)
    assert.deepEqual(run(program, burst, 0, tcp), [1])
    program.message({ type: 'modify', rule: 'tcp,actions=output:2' })
    assert.deepEqual(run(program, burst, 0, tcp), [2])
    const [status] = program.message({ type: 'dump', selection: 'ip' }) as { packets: number }[]
    assert.equal(status?.packets, 2)
    assert.equal(program.message({ type: 'delete', selection: 'tcp' }), 1)
    assert.deepEqual(program.stats.rules, 0)
    assert.throws(() => program.message({ type: 'nothing' }), /flow-table answers/)
  })

  test('keeps checksums right whatever it sets', () => {
    const set =
      'mod_nw_src:1.2.3.4,mod_nw_dst:5.6.7.8,mod_tp_src:9,mod_tp_dst:10,mod_nw_tos:8,dec_ttl,push_vlan:0x8100,output:1'
    const program = flowTable([`ip,actions=${set}`])
    const burst = new MadeUpBurst(3)
    for (const frame of [tcp, udp]) {
      program.burst(burst.receive(0, [frame]))
      const headers = new Headers()
      assert.ok(headers.parse(burst.burst, 0))
      assert.equal(headers.tags, 1)
      assert.ok(verifyIpv4Checksum(burst.burst.view, headers.l3))
      assert.ok(verifyTransportChecksum(burst.burst.view, headers))
    }
  })

  test('does not send on, after dec_ttl, what has no time to live', () => {
    const cut = tcp.subarray(0, 30)
    for (const rules of [
      ['ip,actions=dec_ttl,1'],
      Array.from({ length: 9 }, (_, i) => `priority=${i},ip,actions=dec_ttl,1`),
    ]) {
      const { tables } = tablesAt()
      tables.add(rules)
      assert.deepEqual(ports(tables, tcp), [1])
      assert.deepEqual(ports(tables, cut), [])
    }
  })

  test('explains itself', () => {
    const rules = Array.from({ length: 20 }, (_, i) => `tcp,tp_dst=${i},actions=1`)
    const program = flowTable([...rules, 'priority=1,actions=drop'])
    const [table] = program.explain().tables
    assert.deepEqual(table?.searches, [
      { kind: 'hash', rules: 20, fields: 'dl_type, tp_dst, nw_proto' },
      { kind: 'direct', rules: 1, fields: 'nothing' },
    ])
    assert.match(program.explain().source, /function flows/)
  })
})
