/** Every contender does what it claims to, with every load; never how fast. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { after, describe, test } from 'node:test'
import { Calibrator } from '../../bench/calibration/calibrator.js'
import { Placement } from '../../bench/calibration/placement.js'
import {
  CONTENDERS,
  type Contender,
  contendersOf,
  RATIOS,
  type RunningSwitch,
} from '../../bench/contender.js'
import { chooseCpus } from '../../bench/cpus.js'
import { exactRules, imixFrames } from '../../bench/flows/flows.js'
import { expectSwapped, expectToGuest, GUEST_MACS } from '../../bench/frames.js'
import { cpuMask } from '../../bench/kernel/kernel-switch.js'
import { checkNetwork, Network } from '../../bench/kernel/network.js'
import { KernelOvs } from '../../bench/kernel/ovs.js'
import { chooseMemory } from '../../bench/memory.js'
import { findOvs } from '../../bench/ovs/find.js'
import { entriesOf } from '../../bench/plan.js'
import { ratesOptions } from '../../bench/rates/options.js'
import { turnsOf } from '../../bench/rates/turns.js'
import { type Listener, runBench } from '../../bench/run.js'
import type { Asked } from '../../bench/section.js'
import type { Setup } from '../../bench/setup.js'
import { type SharedSetup, withSockets } from '../../bench/sockets.js'
import type { ForwardMode } from '../../bench/testpmd.js'
import { parseFrames } from '../../bench/testpmd-output.js'
import { TestpmdSwitch } from '../../bench/testpmd-switch.js'
import { takeTogether } from '../../bench/together.js'
import { ethernet, formatIpv4, formatMac, Headers, ipv4, udp } from '../../src/headers/index.js'
import { TestHost } from '../../src/testkit/index.js'

const skip = availableParallelism() < 2 && 'the bench needs two CPUs'
/** Longer than a test takes on a busy machine. */
const LIMIT_MS = 120_000

function sharedSetup(): SharedSetup {
  const [cpus, memory] = [chooseCpus(undefined), chooseMemory('memfd')]
  return { ring: 'split', frameBytes: 64, burst: 32, cpus, memory, warmUpMs: 100 }
}

const { cpus: calibrated } = sharedSetup()
const calibrator = new Calibrator(calibrated.switch, calibrated.generator)
const placement = Placement.start(calibrator)
after(() => calibrator[Symbol.asyncDispose]())

/** A sample that is too short to mean anything. What comes out at the guests is looked at in its end. */
async function tryOut(contender: Contender, more: Partial<SharedSetup> = {}): Promise<void> {
  const member = { contender, setup: { ...sharedSetup(), ...more } }
  const [taken] = await takeTogether([member], 100, await placement, AbortSignal.timeout(LIMIT_MS))
  if (taken?.status !== 'fulfilled') throw taken?.reason
  const sample = taken.value
  assert.ok(sample.mpps > 0, JSON.stringify(sample))
  assert.ok(sample.cyclesPerPacket > 0, JSON.stringify(sample))
  assert.ok(sample.generatorBusy > 0, JSON.stringify(sample))
  assert.ok(sample.roundTrip > 0, JSON.stringify(sample))
}

const named = (name: string) => CONTENDERS.find((one) => one.name === name) as Contender

/** What `bench.test.ts` and `smoke.test.ts` run anyway, or the loads below. */
const ELSEWHERE = [
  ...['testpmd-io', 'native-io', 'ts-io', 'ts-flow2', 'ts-learning', 'ovs-flow2', 'ovs-normal'],
  'vswitch-normal',
]

/** Why a contender cannot take part. */
function missing(check: (() => void) | undefined): string | false {
  try {
    check?.()
    return false
  } catch (error) {
    return (error as Error).message
  }
}

describe('every contender forwards as it claims', { skip }, () => {
  for (const contender of CONTENDERS.filter(({ name }) => !ELSEWHERE.includes(name))) {
    test(contender.name, { skip: missing(contender.check) }, () => tryOut(contender))
  }

  test(
    'OVS on interfaces of the kernel, its datapath in the daemon',
    {
      skip: missing(() => {
        findOvs()
        checkNetwork('veth')
      }),
    },
    () => tryOut({ ...named('kernel-ovs'), start: (setup) => KernelOvs.start(setup, 'netdev') }),
  )

  test('one that does not is found out', async () => {
    const start = (setup: Setup) => {
      const running = new TestpmdSwitch(setup, 'io')
      // It claims to exchange addresses.
      running.check = expectSwapped
      return running
    }
    await assert.rejects(tryOut({ ...named('testpmd-io'), start }), /exchanged/)
  })
})

test('one that fails twice has no more turns, and does not end the bench', { skip }, async () => {
  let starts = 0
  const start = () => {
    throw new Error(`no start ${++starts}`)
  }
  const failing: Contender = { name: 'failing', what: '', load: 'pair', start }
  const heard: string[] = []
  const listener: Listener = {
    turn: ({ round }) => heard.push(`turn ${round}`),
    again: (_turn, { message }) => heard.push(`again: ${message}`),
    lost: (_turn, { message }) => heard.push(`lost: ${message}`),
    sample: () => assert.fail('there is none'),
  }
  const options = {
    entries: entriesOf([failing], [{ ring: 'split', frameBytes: 64 }]),
    ...{ rounds: 2, seconds: 0.1, limitSeconds: Infinity, patienceSeconds: 0 },
    ...{ burst: 32, cpus: chooseCpus(undefined), memory: chooseMemory('memfd') },
  }
  const { runs } = await runBench(options, listener, new AbortController().signal)
  assert.deepEqual(heard, ['turn 0', 'again: no start 1', 'turn 0', 'lost: no start 2'])
  assert.deepEqual(runs, [])
})

describe('alive together', { skip }, () => {
  /** testpmd-io that tells what is done with it, and does something else instead. */
  function watched(name: string, told: string[], instead: Partial<TestpmdSwitch> = {}): Contender {
    const start = (setup: Setup) => {
      told.push(`start ${name}`)
      const running: RunningSwitch = new TestpmdSwitch(setup, 'io')
      return Object.assign(running, {
        stopping: () => told.push(`stop ${name}`),
        resumed: () => told.push(`go ${name}`),
        ...instead,
      })
    }
    return { name, what: '', load: 'pair', start }
  }

  const take = async (contenders: readonly Contender[]) => {
    const members = contenders.map((contender) => ({ contender, setup: sharedSetup() }))
    return takeTogether(members, 200, await placement, AbortSignal.timeout(LIMIT_MS))
  }

  test('one runs at a time, and each of them often', async () => {
    const told: string[] = []
    const taken = await take([watched('a', told), watched('b', told)])
    assert.deepEqual(
      taken.map(({ status }) => status),
      ['fulfilled', 'fulfilled'],
    )
    assert.deepEqual(told.slice(0, 4), ['start a', 'stop a', 'start b', 'stop b'])
    const later = told.slice(4)
    const turns = later.filter((word) => word.startsWith('go'))
    // In the end nobody stops them: they are killed.
    for (const turn of turns.slice(0, -2)) {
      const [word] = later.splice(0, 2).slice(1)
      assert.equal(word, turn.replace('go', 'stop'), told.join())
    }
    // To settle; two windows at least, there and back; one of cycles, and the end.
    assert.deepEqual(turns.slice(0, 6), ['go a', 'go b', 'go a', 'go b', 'go b', 'go a'])
    for (const name of ['a', 'b']) {
      assert.ok(turns.filter((turn) => turn === `go ${name}`).length >= 5, told.join())
    }
  })

  test('one that fails does not end the others', async () => {
    const told: string[] = []
    const fails = async (): Promise<never> => {
      throw new Error('no cycles')
    }
    const [a, b, c] = await take([
      watched('a', told, { countCycles: fails }),
      watched('b', told),
      watched('c', told, { started: fails }),
    ])
    assert.deepEqual([a?.status, b?.status, c?.status], ['rejected', 'fulfilled', 'rejected'])
    assert.match(String(a?.status === 'rejected' && a.reason), /no cycles/)
    // Its processes are gone: nobody stops them, or lets them go on.
    assert.equal(told.at(-1), 'go b')
  })

  test('only those that failed are taken again', async () => {
    const [told, heard]: [string[], string[]] = [[], []]
    let failures = 1
    const countCycles = async () => {
      if (failures-- > 0) throw new Error('no cycles')
    }
    const contenders = [watched('a', told), watched('b', told)]
    const start = contenders[0]?.start as Contender['start']
    const failing: Contender = {
      ...(contenders[0] as Contender),
      start: async (setup) => {
        const running = await start(setup)
        const count = running.countCycles.bind(running)
        return Object.assign(running, { countCycles: () => countCycles().then(count) })
      },
    }
    const listener: Listener = {
      turn: () => {},
      again: ({ run }, { message }) => heard.push(`again ${run.name}: ${message}`),
      lost: ({ run }, { message }) => heard.push(`lost ${run.name}: ${message}`),
      sample: ({ run }) => heard.push(`sample ${run.name}`),
    }
    const scenario = { ring: 'split', frameBytes: 64 } as const
    const { runs } = await runBench(
      {
        entries: entriesOf([failing, contenders[1] as Contender], [scenario]),
        ...{ rounds: 1, seconds: 0.1, limitSeconds: Infinity, patienceSeconds: 0 },
        ...{ burst: 32, cpus: chooseCpus(undefined), memory: chooseMemory('memfd') },
      },
      listener,
      AbortSignal.timeout(LIMIT_MS),
    )
    assert.deepEqual(heard, ['again a: no cycles', 'sample b', 'sample a'])
    assert.deepEqual(
      told.filter((word) => word.startsWith('start')),
      ['start a', 'start b', 'start a'],
    )
    assert.deepEqual(
      runs.map(({ name, samples }) => `${name} ${samples.length}`),
      ['a 1', 'b 1'],
    )
  })
})

describe('every load', { skip }, () => {
  for (const name of ['testpmd-io', 'ts-learning', 'ovs-normal']) {
    const contender = named(name)
    const without = missing(contender.check)
    test(`frames of 9000 bytes, ${name}`, { skip: without }, () =>
      tryOut(contender, { frameBytes: 9000 }),
    )
  }
  test('IMIX', () => tryOut(named('ts-learning'), { load: 'imix' }))
  test('four queue pairs', () => tryOut(named('ts-io'), { queuePairs: 4 }))
  test('packed rings in order', () => tryOut(named('ts-io'), { ring: 'packed-inorder' }))

  test('two lcores', () => {
    const { cpus } = sharedSetup()
    const lcoreCpus = [cpus.switch, cpus.generator]
    return tryOut(named('vswitch-normal'), { queuePairs: 2, lcoreCpus })
  })
})

describe('what testpmd makes of a frame', { skip }, () => {
  /** What a guest gets when the other sends one UDP frame. */
  async function through(forward: ForwardMode) {
    return withSockets(sharedSetup(), async (setup) => {
      const hosts = await Promise.all(
        setup.sockets.map((path, i) => TestHost.start({ path, mac: GUEST_MACS[i] })),
      )
      try {
        await using running = new TestpmdSwitch(setup, forward)
        await running.started()
        const [a, b] = hosts as [TestHost, TestHost]
        await Promise.all([a.linkUp(), b.linkUp()])
        await using capture = await b.capture({ numbered: true })
        await a.send({ to: b, frames: 1 })
        const [frame] = await capture.take(1)
        assert.ok(frame, 'nothing arrived')
        return read(frame)
      } finally {
        await Promise.all(hosts.map((host) => host.close()))
      }
    })
  }

  const [a, b] = GUEST_MACS
  const ips = ['198.18.0.1', '198.18.0.2']

  test('io: leaves it as it is', async () => {
    const { macs, addresses } = await through('io')
    assert.deepEqual(macs, [a, b])
    assert.deepEqual(addresses, ips)
  })

  test('mac: writes both MAC addresses and nothing else', async () => {
    const { macs, addresses } = await through('mac')
    assert.deepEqual(macs, ['56:48:4f:53:54:01', b])
    assert.deepEqual(addresses, ips)
  })

  test('5tswap: exchanges MAC addresses, IP addresses and ports', async () => {
    const [before, after] = [await through('io'), await through('5tswap')]
    assert.deepEqual(after.macs, [b, a])
    assert.deepEqual(after.addresses, [...ips].reverse())
    assert.notEqual(before.ports[0], before.ports[1])
    assert.deepEqual(after.ports, [...before.ports].reverse())
  })
})

describe('what comes out at the guests', () => {
  const [a, b] = GUEST_MACS
  const frame = (port: number, source: string, destination: string) => {
    return { port, queue: 0, source, destination, bytes: 64 }
  }

  test('is read from what testpmd says', () => {
    const text = `start
rxonly packet forwarding - ports=2 - cores=1
port 1/queue 2: received 2 packets
  src=02:00:00:00:00:0A - dst=02:00:00:00:00:0B - pool=mb_pool_0 - type=0x0800 - length=64 - nb_segs=1
  ol_flags: RTE_MBUF_F_TX_L4_NO_CKSUM
  src=02:00:00:00:00:0A - dst=02:00:00:00:00:0B - pool=mb_pool_0 - type=0x0800 - length=60 - nb_segs=1
testpmd> port 0/queue 0: received 1 packets
  src=02:00:00:00:00:0B - dst=02:00:00:00:00:0A - pool=mb_pool_0 - type=0x0800 - length=64 - nb_segs=1
`
    assert.deepEqual(parseFrames(text), [
      { port: 1, queue: 2, source: a, destination: b, bytes: 64 },
      { port: 1, queue: 2, source: a, destination: b, bytes: 60 },
      { port: 0, queue: 0, source: b, destination: a, bytes: 64 },
    ])
  })

  test('is to be for the guest that got it', () => {
    expectToGuest([frame(0, b, a), frame(1, a, b)])
    assert.throws(() => expectToGuest([frame(0, b, a), frame(1, b, a)]), /guest 1 got a frame/)
    assert.throws(() => expectToGuest([frame(1, b, b)]), /switched wrongly/)
    assert.throws(() => expectToGuest([]), /no frames/)
  })

  test('is to be swapped, of all but those that went round an even number of times', () => {
    expectSwapped([frame(1, b, a), frame(1, a, b)])
    assert.throws(() => expectSwapped([frame(1, a, b)]), /exchanged/)
    assert.throws(() => expectSwapped([frame(1, b, b)]), /switched wrongly/)
  })
})

describe('loads', () => {
  test('IMIX: 7 to 4 to 1, the same in both directions', () => {
    const frames = imixFrames()
    for (const guest of [0, 1]) {
      const sizes = frames.filter((_, i) => i % 2 === guest).map(({ length }) => length)
      const counts = [64, 590, 1514].map((size) => sizes.filter((one) => one === size).length)
      assert.deepEqual(counts, [595, 340, 85])
    }
  })

  test('a rule for each of so many flows', () => {
    for (const count of [100, 10_000]) assert.equal(exactRules(['a', 'b'], count).length, count + 2)
  })
})

describe('who takes part', () => {
  test('the more time there is, the more', () => {
    const [quick, usual, full] = (['quick', 'usual', 'full'] as const).map(contendersOf)
    assert.ok(quick && usual && full)
    assert.ok(quick.length < usual.length && usual.length < full.length)
    assert.deepEqual(full, CONTENDERS)
    for (const contender of quick) assert.ok(usual.includes(contender), contender.name)
  })

  test('whoever is compared takes part without being named', () => {
    const usual = contendersOf('usual').map(({ name }) => name)
    const { contenders, rings } = ratesOptions({ effort: 'usual' })
    assert.deepEqual(
      contenders.map(({ name }) => name),
      usual,
    )
    assert.ok(rings.includes('split'))
    const full = contendersOf('full').map(({ name }) => name)
    for (const [one, other] of RATIOS) {
      assert.ok(full.includes(one) && full.includes(other), `${one} and ${other}`)
      assert.ok(!usual.includes(one) || usual.includes(other), `${one} without ${other}`)
    }
  })

  test('where nobody is named, few take turns on other than split rings, and pairs of them', () => {
    const namesOn = (ring: string, asked: Asked) => {
      const options = ratesOptions(asked)
      return turnsOf(options.contenders, options).flatMap(({ contender, scenario }) =>
        scenario.ring === ring ? contender.name : [],
      )
    }
    assert.deepEqual(namesOn('packed', { effort: 'quick' }), ['testpmd-io', 'ts-io'])
    assert.ok(namesOn('split', { effort: 'quick' }).length > 2)
    const only = ['ts-flow2', 'ovs-normal']
    assert.deepEqual(namesOn('packed', { effort: 'quick', only }), ['ovs-normal', 'ts-flow2'])
    const all = namesOn('packed', { effort: 'full' })
    assert.deepEqual(
      namesOn('packed', { effort: 'quick', options: { rings: 'packed' } }),
      namesOn('split', { effort: 'quick' }),
    )
    assert.ok(all.includes('vswitch-normal'))
  })

  test('what goes through the kernel has no virtqueues, and has one turn in a round', () => {
    const scenarios = (['split', 'packed'] as const).map((ring) => ({ ring, frameBytes: 64 }))
    const entries = entriesOf([named('ts-io'), named('kernel-bridge')], scenarios)
    assert.deepEqual(
      entries.map(({ contender, scenario }) => `${contender.name} ${scenario.ring}`),
      ['ts-io split', 'kernel-bridge none', 'ts-io packed'],
    )
  })
})

describe('interfaces of the kernel', () => {
  const without = missing(() => checkNetwork('veth'))

  test('are in a namespace of their own, and gone with it', { skip: without }, async () => {
    await using network = await Network.create('veth')
    assert.match(await network.run('ip', 'link', 'show', 'guesta'), /guesta@porta/)
    assert.deepEqual(await network.counters('porta'), { received: 0, sent: 0, dropped: 0 })
  })

  test('are gone when the bench is killed', { skip: without }, async () => {
    const script = `
      import { Network } from '${new URL('../../bench/kernel/network.js', import.meta.url)}'
      console.log((await Network.create('veth')).enter[1])
      setInterval(() => {}, 1000)`
    const bench = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
    const [said] = (await once(bench.stdout.setEncoding('utf8'), 'data')) as [string]
    const holder = Number(/\/proc\/(\d+)\//.exec(said)?.[1])
    assert.ok(process.kill(holder, 0))
    bench.kill('SIGKILL')
    await once(bench, 'close')
    const end = performance.now() + 20_000
    while (isRunning(holder) && performance.now() < end) await new Promise((r) => setTimeout(r, 5))
    assert.equal(isRunning(holder), false)
  })

  test('a CPU as a mask', () => {
    assert.equal(cpuMask(0), '1')
    assert.equal(cpuMask(31), '80000000')
    assert.equal(cpuMask(33), '2,00000000')
  })
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function read(frame: Uint8Array) {
  const headers = new Headers()
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  assert.ok(headers.parseAt(view, 0, frame.length))
  const { l2, l3, l4 } = headers
  return {
    macs: [ethernet.source(view, l2), ethernet.destination(view, l2)].map(formatMac),
    addresses: [ipv4.source(view, l3), ipv4.destination(view, l3)].map(formatIpv4),
    ports: [udp.sourcePort(view, l4), udp.destinationPort(view, l4)],
  }
}
