/** The parts of the bench that need no DPDK: the order of samples, the arithmetic, the reading of testpmd's output. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UsageError } from '../../bench/arguments.js'
import { CONTENDERS, contendersOf, RATIOS } from '../../bench/contender.js'
import { parseCpuList } from '../../bench/cpus.js'
import { exactRules, FLOWS, flows, frameOf } from '../../bench/flows/flows.js'
import { counting, pairsOf, placed } from '../../bench/near.js'
import { parseOptions } from '../../bench/options.js'
import { parsePmdStats, parseTxDropped } from '../../bench/ovs/output.js'
import { entriesOf, planTurns, type Run } from '../../bench/plan.js'
import { ratesOptions } from '../../bench/rates/options.js'
import { ratiosOf } from '../../bench/ratios.js'
import type { Sample } from '../../bench/sample.js'
import { SECTIONS, takesPart } from '../../bench/sections.js'
import { median } from '../../bench/statistics.js'
import { parseForwardStats, parsePortStats } from '../../bench/testpmd-output.js'
import { caveats } from '../../bench/verdict.js'
import { leastDisturbed } from '../../bench/windows.js'

const SAMPLE: Sample = {
  mpps: 10,
  cyclesPerPacket: 100,
  busy: 1,
  generatorBusy: 0.5,
  burst: 32,
  dropped: 0,
  switchLost: 0,
  generatorLost: 0,
  roundTrip: 100,
}

function run(name: string, mpps: readonly number[], ring: Run['ring'] = 'split'): Run {
  const samples = mpps.map((rate) => ({ ...SAMPLE, mpps: rate, cyclesPerPacket: 1000 / rate }))
  return { name, ring, frameBytes: 64, samples }
}

describe('contenders', () => {
  test('are compared with those of the same load only', () => {
    const loadOf = (name: string) => CONTENDERS.find((one) => one.name === name)?.load
    for (const [over, under] of RATIOS) {
      assert.ok(loadOf(over) !== undefined, over)
      assert.equal(loadOf(over), loadOf(under), `${over} and ${under}`)
    }
  })
})

describe('many flows', () => {
  const NAMES = ['a', 'b'] as const

  test('each is a flow of its own, in frames of the length that is asked for', () => {
    const all = flows()
    assert.equal(all.length, FLOWS)
    assert.equal(new Set(all.map((flow) => Object.values(flow).join())).size, FLOWS)
    const frames = all.slice(0, 4).map((flow, i) => frameOf(flow, i, 64))
    for (const frame of frames) assert.equal(frame.length, 64)
    const [first, second] = frames.map((frame) => Buffer.from(frame).toString('hex'))
    assert.equal(first?.slice(0, 24), '02000000000b02000000000a')
    assert.equal(second?.slice(0, 24), '02000000000a02000000000b')
  })

  test('1,000 have an exact rule, and all go to the other port', () => {
    const rules = exactRules(NAMES)
    assert.equal(rules.length, 1002)
    assert.equal(rules.filter((rule) => rule.includes('tp_dst=')).length, 1000)
    const [even, odd] = rules
    assert.match(even as string, /actions=output:b$/)
    assert.match(odd as string, /actions=output:a$/)
    assert.deepEqual(rules.slice(-2), [
      'priority=0,in_port=a,actions=output:b',
      'priority=0,in_port=b,actions=output:a',
    ])
  })
})

describe('what OVS prints', () => {
  const pmd = `pmd thread numa_id 0 core_id 3:
  packets received: 119
  emc hits: 7
  miss with success upcall: 3
  miss with failed upcall: 1
  idle cycles: 76234424 (88.98%)
  processing cycles: 9444032 (11.02%)
  avg cycles per packet: 719987.03 (85678456/119)
  avg processing cycles per packet: 79361.61 (9444032/119)
main thread:
  packets received: 5
`
  test('cycles of the thread that polls', () => {
    const expected = { frames: 119, busyCycles: 9_444_032, idleCycles: 76_234_424, upcalls: 4 }
    assert.deepEqual(parsePmdStats(pmd), expected)
  })

  test('frames that ports did not take', () => {
    const port = (dropped: number) =>
      `  port 1: vhost0 (dpdkvhostuserclient)\n    TX packets:4 errors:0 dropped:${dropped} aborted:0 carrier:0\n`
    assert.equal(parseTxDropped(port(2) + port(40)), 42)
  })

  test('anything else is shown, not guessed at', () => {
    assert.throws(() => parsePmdStats('main thread:'), /does not understand/)
    assert.throws(() => parseTxDropped(''), /does not understand/)
  })
})

describe('the order of samples', () => {
  test('everybody has a turn in every scenario before anybody has the next', () => {
    const scenarios = [
      { ring: 'split', frameBytes: 64 },
      { ring: 'packed', frameBytes: 64 },
    ] as const
    const two = CONTENDERS.filter(({ name }) => ['testpmd-io', 'native-io'].includes(name))
    const turns = planTurns(entriesOf(two, scenarios), 2)
    assert.deepEqual(
      turns.map(({ round, run: { name, ring } }) => `${round} ${name} ${ring}`),
      [
        '0 testpmd-io split',
        '0 native-io split',
        '0 testpmd-io packed',
        '0 native-io packed',
        '1 testpmd-io split',
        '1 native-io split',
        '1 testpmd-io packed',
        '1 native-io packed',
      ],
    )
    assert.equal(turns[0]?.run, turns[4]?.run)
  })
})

describe('ratios', () => {
  test('are paired round by round, so that a slow round weighs no more than another', () => {
    const runs = [run('testpmd-io', [10, 2, 10]), run('native-io', [11, 2.4, 13])]
    const [ratio, ...others] = ratiosOf(runs)
    assert.deepEqual(others, [])
    assert.equal(ratio?.key, 'native-io/testpmd-io@split@64')
    assert.deepEqual(ratio?.rounds, [1.1, 1.2, 1.3])
    assert.equal(ratio?.ratio, 1.2)
    assert.ok(Math.abs((ratio?.byCycles ?? 0) - 1.2) < 1e-9)
  })

  test('never cross scenarios', () => {
    const runs = [run('native-io', [10]), run('ts-io', [9], 'packed')]
    assert.deepEqual(ratiosOf(runs), [])
  })

  test('the median of an even number is between the middle two', () => {
    assert.equal(median([4, 1, 3, 2]), 2.5)
    assert.equal(median([3, 1, 2]), 2)
    assert.ok(Number.isNaN(median([])))
  })
})

describe('the distance of the CPUs', () => {
  /** Samples of these rates, in nanoseconds of round trip. */
  const at = (name: string, rates: readonly number[], roundTrips: readonly number[]): Run => {
    const { samples, ...rest } = run(name, rates)
    return {
      ...rest,
      samples: samples.map((sample, i) => ({ ...sample, roundTrip: roundTrips[i] as number })),
    }
  }
  const mppsOf = (samples: readonly Sample[]) => samples.map(({ mpps }) => mpps)

  test('is near or far by the shortest that was seen, in whatever sample or before', () => {
    const runs = [at('testpmd-io', [10, 4], [110, 450]), at('native-io', [5, 11], [440, 60])]
    const far = (seen: readonly number[]) =>
      placed(runs, seen).map(({ samples }) => samples.map((sample) => sample.far))
    assert.deepEqual(far([]), [
      [false, true],
      [true, false],
    ])
    assert.deepEqual(far([40]), [
      [true, true],
      [true, false],
    ])
  })

  test('samples count that were near, whatever came of them; others where there are none', () => {
    const [a, b, c] = placed(
      [
        at('testpmd-io', [1, 9, 2], [100, 450, 110]),
        at('native-io', [5, 6], [450, 450]),
        run('ts-io', [1, 2]),
      ],
      [],
    ) as [Run, Run, Run]
    assert.deepEqual(mppsOf(counting(a.samples)), [1, 2])
    assert.deepEqual(mppsOf(counting(b.samples)), [5, 6])
    const old = run('ts-io', [1, 2]).samples
    assert.deepEqual(mppsOf(counting(old)), mppsOf(counting(c.samples)))
  })

  test('pairs are of the same round and the same distance', () => {
    const rounds = (a: readonly number[], b: readonly number[]) => {
      const rates = [10, 20, 30]
      const runs = placed([at('native-io', rates, a), at('testpmd-io', [1, 1, 1], b)], [100])
      return [runs, ratiosOf(runs).map((ratio) => ratio.rounds)] as const
    }
    assert.deepEqual(rounds([100, 100, 400], [100, 400, 400])[1], [[10]])
    assert.deepEqual(rounds([400, 100, 400], [100, 400, 400])[1], [[30]])
    const [[a, b], ratios] = rounds([400, 400, 400], [100, 100, 100])
    assert.deepEqual(ratios, [])
    assert.deepEqual(pairsOf(a?.samples ?? [], b?.samples ?? []), [])
  })

  test('is said where it was far', () => {
    const said = (runs: readonly Run[]) =>
      caveats({ runs: placed(runs, []), rounds: 2, noise: { calibrations: [] } }, true)
    assert.deepEqual(said([at('ts-io', [10, 10], [60, 120])]), [])
    const [some, all] = said([
      at('ts-io', [10, 10], [60, 120]),
      at('native-io', [9, 9], [480, 481]),
    ])
    assert.match(some ?? '', /^in 2 of 4 samples .* up to 481 ns .* instead of 60: where the host/)
    assert.match(all ?? '', /not to be compared with others: native-io \(split\)$/)
  })

  test('and what others took of the CPUs decide which windows count, the rate never', () => {
    const window = (mpps: number, far: boolean, switchLost: number) => {
      return { mpps, far, switchLost, shared: false, roundTrip: 100, generatorLost: 0 }
    }
    const windows = [
      window(30, true, 0),
      window(9, false, 0.3),
      window(20, false, 0.1),
      window(1, false, 0),
    ]
    const pick = (count: number) => leastDisturbed(windows, count).map(({ mpps }) => mpps)
    assert.deepEqual(pick(2), [1, 20])
    assert.deepEqual(pick(4), [1, 20, 9])
    const far = windows.map((one) => ({ ...one, far: true }))
    assert.equal(leastDisturbed(far, 4).length, 4)
  })
})

describe('what testpmd prints', () => {
  const port = (rx: number, rate: number) => `
  RX-packets: ${rx}     RX-missed: 0          RX-bytes:  16084992
  RX-errors: 0
  RX-nombuf:  0
  TX-packets: ${rx + 1}     TX-errors: 0          TX-bytes:  16160768

  Throughput (since last show)
  Rx-pps:       ${rate}          Rx-bps:            0
  Tx-pps:            5          Tx-bps:            0`

  test('rates of both ports are added', () => {
    const stats = parsePortStats(`${port(100, 8_000_000)}\n${port(200, 7_000_000)}`, 2)
    assert.deepEqual(stats, {
      rxPerSecond: 15_000_000,
      rxFrames: 300,
      txFrames: 302,
      txErrors: 0,
    })
  })

  test('sums of forwarding come from the last block', () => {
    const text = `
  RX-packets: 204288         RX-dropped: 0             RX-total: 204288
  +++++++++++++++ Accumulated forward statistics for all ports+++++++++++++++
  RX-packets: 408576         RX-dropped: 0             RX-total: 408576
  TX-packets: 408570         TX-dropped: 6             TX-total: 408576
  CPU cycles/packet=155.00 (total cycles=63329280 / total io packets=408576) at 2600 MHz Clock`
    assert.deepEqual(parseForwardStats(text), {
      rxFrames: 408_576,
      txDropped: 6,
      busyCycles: 63_329_280,
      tscMHz: 2600,
    })
  })

  test('anything else is shown, not guessed at', () => {
    assert.throws(() => parsePortStats(port(1, 1), 2), /does not understand/)
    assert.throws(() => parseForwardStats('Bad arguments'), /Bad arguments/)
  })
})

describe('options', () => {
  const options = async (...args: string[]) => {
    const parsed = await parseOptions(args)
    assert.ok(!('help' in parsed))
    return parsed
  }
  const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name)
  const asked = { effort: 'usual' } as const

  test('everything, when nothing is chosen', async () => {
    const { sections, whole, effort, only } = await options()
    assert.deepEqual(names(sections), names(SECTIONS.filter((entry) => takesPart(entry, 'usual'))))
    const { sections: all } = await options('--full')
    assert.deepEqual(names(all), names(SECTIONS))
    assert.deepEqual([whole, effort, only], [true, 'usual', undefined])
    assert.equal((await options('--quick')).effort, 'quick')
    assert.equal((await options('--full')).effort, 'full')
  })

  test('sections by their names, as words or in --only, in the order of the bench', async () => {
    assert.deepEqual(names((await options('reconnect')).sections), ['reconnect'])
    assert.equal((await options('reconnect')).whole, false)
    for (const args of [
      ['reconnect', 'rates'],
      ['--only', 'reconnect,rates'],
    ]) {
      assert.deepEqual(names((await options(...args)).sections), ['rates', 'reconnect'])
    }
  })

  test('contenders, and options of rates, mean rates where no section is named', async () => {
    const one = await options('--only', 'ts-io, testpmd-io', '--rings', 'packed')
    assert.deepEqual(names(one.sections), ['rates'])
    const { contenders, rings } = ratesOptions({ ...asked, only: one.only, options: one.own })
    assert.deepEqual(names(contenders), ['testpmd-io', 'ts-io'])
    assert.deepEqual(rings, ['packed'])
    assert.deepEqual(names((await options('--frame-bytes', '128')).sections), ['rates'])
  })

  test('contenders of a section', async () => {
    const { sections, only } = await options('reconnect', '--only', 'testpmd')
    assert.deepEqual(names(sections), ['reconnect'])
    assert.deepEqual(only, ['testpmd'])
  })

  test('defaults of rates', () => {
    const { contenders, rings, rounds, frameBytes } = ratesOptions(asked)
    assert.deepEqual(contenders, contendersOf(asked.effort))
    assert.deepEqual(rings, ['split', 'packed'])
    assert.ok(rounds >= 5)
    assert.equal(frameBytes, 64)
    assert.equal(ratesOptions({ effort: 'quick', options: { rounds: '7' } }).rounds, 7)
  })

  for (const [args, message] of [
    [['--cpus', '1'], /--cpus: '1' is not two numbers such as 2,3/],
    [['--memory', 'swap'], /--memory: 'swap' is none of auto, hugepages, memfd/],
    [['--patience', 'x'], /--patience: 'x' is not a whole number from 0/],
    [['--patience', ' '], /--patience: ' ' is not a whole number/],
    [['--fast'], /--fast is no option here; leave it out/],
    [['--jason', 'x'], /--jason is no option here; did you mean --json\?/],
    [['--json'], /--json needs a value: --json VALUE/],
    [['--json', '--quick'], /--json needs a value/],
    [['--quick=1'], /--quick: '1' is too much; it takes no value/],
    [['--quick', '--full'], /--quick and --full exclude each other; leave one out/],
    [['recconect'], /section: 'recconect' is none of rates, .*; did you mean reconnect\?/],
    [['--only', 'testpmd-jo'], /--only: 'testpmd-jo' is none of .*; did you mean testpmd-io\?/],
    [['reconnect', '--only', 'ts-io'], /--only: 'ts-io' is none of dpdk-vhost/],
    [
      ['reconnect', '--rings', 'split'],
      /--rings: 'split' is for rates.*, and not for reconnect; leave it out/,
    ],
    [
      ['--only', 'rates,ts-io,reconnect'],
      /--only: 'ts-io' are no contenders of reconnect; leave out that section/,
    ],
    [
      ['--json', '/nowhere/a.json'],
      /--json: '\/nowhere\/a.json': there is no folder '\/nowhere'; make it first/,
    ],
    [['--html', '/tmp'], /--html: '\/tmp' is a folder; give the path of a file/],
    [['--json', '/tmp/a', '--html', '/tmp/a'], /--html: '\/tmp\/a' is the file of --json too/],
    [
      ['--from', 'a.json', '--quick'],
      /--from: 'a.json' is shown without measuring; leave out --quick/,
    ],
  ] as const) {
    test(args.join(' '), async () => {
      await assert.rejects(parseOptions(args), { constructor: UsageError, message })
    })
  }

  for (const [values, message] of [
    [{ rings: 'round' }, /--rings: 'round' is none of split, packed, packed-inorder/],
    [{ rounds: '0' }, /--rounds: '0' is not a whole number from 1/],
    [{ rounds: '1.5' }, /--rounds: '1.5'/],
    [{ seconds: 'x' }, /--seconds: 'x' is not a number/],
  ] as const) {
    test(`rates: ${Object.entries(values).join()}`, () => {
      const check = () => ratesOptions({ ...asked, options: values })
      assert.throws(check, { constructor: UsageError, message })
    })
  }

  test('lists of CPUs', () => {
    assert.deepEqual(parseCpuList('0-2,5'), [0, 1, 2, 5])
    assert.deepEqual(parseCpuList('3'), [3])
  })
})
