/** Guards on a real datapath: guests 1 and 2 are honest, 3 is not, and 4 is where mirrors go. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { buildArpReply, buildEthernet, buildUdp } from '../../../src/headers/build.js'
import { type Burst, learningSwitch } from '../../../src/index.js'
import { Guards, newGuardMemory, readGuardCounters } from '../../../src/switch/guards/guards.js'
import type { AttachmentSpec, MirrorSpec } from '../../../src/switch/spec.js'
import type { TestHost } from '../../../src/testkit/index.js'
import { pcap } from '../../support/capture-file.js'
import { until } from '../../support/loopback.js'
import { Wire } from '../../testkit/wire.js'
import { attached } from '../images.js'

const TEST_TYPE = 0x88b5

describe('guards on a datapath', { timeout: 240_000 }, () => {
  let wire: Wire
  let hosts: TestHost[]
  const host = (number: number) => hosts[number - 1] as TestHost
  before(async () => {
    wire = await Wire.open()
    hosts = [...(await wire.join()), ...(await wire.join())]
  })
  after(() => wire[Symbol.asyncDispose]())

  /** Guards a decision, by ports named as their hosts: 1 to 4. */
  async function guarded(
    attachments: Record<string, Partial<AttachmentSpec>>,
    mirrors: MirrorSpec[],
    decide: (burst: Burst) => void,
  ) {
    const memory = newGuardMemory()
    const guards = new Guards(memory)
    const ports = wire.ports.map(({ id, name }) => [id, attached(attachments[name])] as const)
    const ids = new Map(wire.ports.map(({ id, name }) => [name, id]))
    guards.configure(new Map(ports), ids, mirrors)
    const running = await wire.by((burst) => {
      const passed = guards.ingress(burst)
      if (passed.count > 0) decide(passed)
      guards.egress(burst)
    })
    const drops = (name: string) => readGuardCounters(memory, ids.get(name) as number)
    return { drops, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
  }

  /** A switch that has learnt nothing yet. */
  const switched = () => {
    const program = learningSwitch()
    return (burst: Burst) => program.burst(burst)
  }

  test('a guest with the addresses of another is not heard, and the other goes on', async () => {
    const portSecurity = (number: number) => {
      const { mac, addresses } = host(number)
      return { portSecurity: [{ mac, ips: addresses }] }
    }
    const secured = { 1: portSecurity(1), 2: portSecurity(2), 3: portSecurity(3) }
    await using guards = await guarded(secured, [], switched())
    const [one, two, three] = [host(1), host(2), host(3)]
    const [ip1, ip2, ip3] = [one, two, three].map(({ addresses }) => addresses[0] as string)
    await using heard = await two.capture()
    const udp = {
      source: three.mac,
      destination: two.mac,
      sourceIp: ip3 as string,
      destinationIp: ip2 as string,
      sourcePort: 5,
      destinationPort: 6,
    }
    const target = { targetIp: ip2 as string, targetMac: two.mac }
    const spoofed = [
      buildUdp({ ...udp, source: one.mac }),
      buildUdp({ ...udp, sourceIp: ip1 as string }),
      buildUdp({ ...udp, sourcePort: 67, destinationPort: 68 }),
      buildArpReply({ senderMac: three.mac, senderIp: ip1 as string, ...target }),
      buildArpReply({ senderMac: one.mac, senderIp: ip1 as string, ...target }),
    ]
    const pings = one.addresses.map((_, i) =>
      one.ping(two.addresses[i] as string, { count: 20, intervalMs: 10 }),
    )
    for (let i = 0; i < 10; i++) for (const frame of spoofed) await three.sendFrame(frame)
    const honest = buildUdp({ ...udp, payload: 'honest' })
    await three.sendFrame(honest)
    for (const { sent, received } of await Promise.all(pings)) assert.equal(received, sent)
    // Nor did anybody learn its way to the other guest. Its answer comes after all that three sent before.
    assert.equal((await three.ping(ip2 as string)).received, 1)
    const frames = await heard.take(10_000, { timeoutMs: 100 })
    const ofThree = frames.filter((frame) => Buffer.from(frame).includes('honest'))
    assert.equal(ofThree.length, 1)
    const bad = frames.filter((frame) => spoofed.some((one) => Buffer.compare(one, frame) === 0))
    assert.deepEqual(bad, [])
    assert.equal(guards.drops('3').portSecurity, 50)
    assert.equal(guards.drops('1').portSecurity, 0)
    assert.equal(guards.drops('2').portSecurity, 0)
  })

  const tcpdump = spawnSync('tcpdump', ['--version']).status === 0
  test('a mirror shows a conversation to tcpdump, and nobody hears its port', {
    skip: tcpdump ? false : 'tcpdump is not installed',
  }, async () => {
    const mirror: MirrorSpec = {
      name: 'm',
      selectAll: false,
      selectSrcPort: ['1'],
      selectDstPort: ['1'],
      selectVlan: [],
      outputPort: '4',
      outputVlan: undefined,
      snaplen: undefined,
    }
    await using _ = await guarded({}, [mirror], switched())
    await using capture = await host(4).capture({ numbered: true })
    await using heard = await host(2).capture({ etherType: TEST_TYPE })
    const unheard = buildEthernet({
      source: host(4).mac,
      destination: 'ff:ff:ff:ff:ff:ff',
      type: TEST_TYPE,
    })
    await host(4).sendFrame(unheard)
    const [ip1, ip2] = [host(1), host(2)].map(({ addresses }) => addresses[0])
    const { received } = await host(1).ping(ip2 as string, { count: 3, intervalMs: 20 })
    assert.equal(received, 3)
    // Between others: not selected.
    assert.equal((await host(3).ping(ip2 as string)).received, 1)
    const frames: Uint8Array[] = []
    const isEcho = (frame: Uint8Array) => frame[12] === 8 && frame[13] === 0
    await until('both ways are seen', async () => {
      frames.push(...(await capture.take(100, { timeoutMs: 100 })))
      return frames.filter(isEcho).length >= 6
    })
    const seen = spawnSync('tcpdump', ['-nn', '-t', '-r', '-'], {
      input: pcap(frames),
      encoding: 'utf8',
      timeout: 60_000,
    })
    const count = (text: string) => seen.stdout.split('\n').filter((line) => line.includes(text))
    assert.equal(count(`IP ${ip1} > ${ip2}: ICMP echo request`).length, 3, seen.stdout)
    assert.equal(count(`IP ${ip2} > ${ip1}: ICMP echo reply`).length, 3, seen.stdout)
    assert.equal(count('ICMP').length, 6, seen.stdout)
    assert.deepEqual(await heard.take(1, { timeoutMs: 100 }), [])
  })

  test('a policer holds, also when there are more copies than the datapath keeps', async () => {
    // Ten frames of 46 bytes, and one more in the years to come.
    const egressPolicer = { cir: 1, cbs: 470 }
    await using guards = await guarded({ 2: { egressPolicer } }, [], (burst) => {
      for (let i = 0; i < burst.count; i++) {
        for (let n = 0; n < 5000; n++) burst.copyTo(i, 1)
        burst.outPort[i] = 2
      }
    })
    await using heard = await host(2).capture({ etherType: TEST_TYPE })
    await using other = await host(3).capture({ etherType: TEST_TYPE })
    const frame = buildEthernet({
      source: host(1).mac,
      destination: host(2).mac,
      type: TEST_TYPE,
      minLength: 60,
    })
    await host(1).sendFrame(frame)
    assert.equal((await other.take(1, { timeoutMs: 10_000 })).length, 1)
    assert.equal((await heard.take(10, { timeoutMs: 10_000 })).length, 10)
    assert.equal((await heard.take(1, { timeoutMs: 200 })).length, 0)
    assert.equal(guards.drops('2').egressPoliced, 4990)
  })
})
