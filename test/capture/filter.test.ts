/** Filters beside tcpdump: the same frames pass. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { compileBpf, compileFilter, MAX_FILTER } from '../../src/capture/index.js'
import { framesOf, pcap } from '../support/capture-file.js'
import { randomFilter, randomFrames } from './random-filters.js'

const LIMIT = { timeout: 240_000 }
const hasTcpdump = spawnSync('tcpdump', ['--version']).status === 0

/** Frames that a filter of ours lets pass. */
async function passed(filter: string, frames: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const program = await compileFilter(filter)
  if (program === undefined) return [...frames]
  const wants = compileBpf(program)
  // In the middle of other bytes, which are not to be taken for theirs.
  return frames.filter((frame) => {
    const bytes = new Uint8Array(frame.length + 200).fill(0x45)
    bytes.set(frame, 100)
    return wants(new DataView(bytes.buffer), 100, frame.length) !== 0
  })
}

/** Frames that tcpdump lets pass; undefined: it does not take the filter. */
function tcpdumps(filter: string, file: Buffer): Uint8Array[] | undefined {
  const ran = spawnSync('tcpdump', ['-n', '-r', '-', '-w', '-', '--', filter], { input: file })
  return ran.status === 0 ? framesOf(ran.stdout) : undefined
}

describe('a filter', LIMIT, () => {
  test('lets pass what tcpdump lets pass', { ...LIMIT, skip: !hasTcpdump }, async () => {
    const frames = randomFrames(400)
    const file = pcap(frames)
    let some = 0
    let taken = 0
    for (let seed = 0; seed < 200; seed++) {
      const filter = randomFilter(seed)
      const expected = tcpdumps(filter, file)
      if (expected === undefined) {
        await assert.rejects(compileFilter(filter), { code: 'ERR_DPDK_VHOST_CONFIG' }, filter)
        continue
      }
      taken++
      if (expected.length > 0 && expected.length < frames.length) some++
      assert.equal(text(await passed(filter, frames)), text(expected), filter)
    }
    // Most of them say something.
    assert.ok(taken > 150 && some > 100, `${taken} taken, ${some} of use`)
  })

  test('that calculates, and looks where a frame says, does as tcpdump’s', {
    ...LIMIT,
    skip: !hasTcpdump,
  }, async () => {
    const frames = randomFrames(400)
    const file = pcap(frames)
    for (const filter of [
      'len >= 100 and ip[2:2] / 3 > 20',
      'ether[0] & 1 = 0 and ip[0] & 0xf != 5',
      '(ip[6:2] & 0x1fff) = 0 and tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420',
      'ip[8] << 3 > 400 or ip[8] % 7 = 3',
      'ip[ip[0] & 15] ^ 3 = 1',
      '-ether[3] > 5',
      'ip[9] * 3 - 1 = 17',
      'udp[4:2] - 8 > 0 and udp[0:2] | 1 = 53',
    ])
      assert.equal(text(await passed(filter, frames)), text(tcpdumps(filter, file) ?? []), filter)
  })

  test('that is none is refused in libpcap’s words', async () => {
    await assert.rejects(compileFilter('tcp prot 80'), {
      code: 'ERR_DPDK_VHOST_CONFIG',
      message: /^capture: filter = "tcp prot 80" is no filter: .*syntax error.*pcap-filter\(7\)/,
    })
    await assert.rejects(compileFilter('inbound'), /filter asks for what is not in the frame/)
    await assert.rejects(compileFilter('ip6 protochain 6'), /filter has a loop; leave 'protochain'/)
    await assert.rejects(compileFilter('ip broadcast'), /netmask not known/)
    assert.equal(await compileFilter(' '), undefined)
  })

  test('may be long', LIMIT, async () => {
    let filter = 'port 9'
    for (let port = 10; `${filter} or ${port}`.length <= MAX_FILTER; port++) filter += ` or ${port}`
    const frames = randomFrames(50)
    const expected = hasTcpdump ? tcpdumps(filter, pcap(frames)) : undefined
    const ours = await passed(filter, frames)
    if (expected !== undefined) assert.equal(text(ours), text(expected))
  })
})

describe('instructions that are no program', () => {
  const RET = [6, 0, 0, 1]
  const cases: [string, number[], RegExp][] = [
    ['nothing', [], /no list/],
    ['half of one', [6, 0], /no list/],
    ['no end', [0, 0, 0, 1], /does not end/],
    ['a jump out of it', [0x15, 1, 0, 0, ...RET], /jump out/],
    ['a long jump out of it', [0x05, 0, 0, 0x7fffffff, ...RET], /jump out/],
    ['a jump back', [0x05, 0, 0, 0xffffffff, ...RET], /has a loop/],
    ['a code that is none', [0xff, 0, 0, 0, ...RET], /unknown instruction 255/],
    ['memory that is not there', [0x60, 0, 0, 16, ...RET], /unknown/],
    ['a place that is not there', [0x02, 0, 0, 16, ...RET], /unknown/],
    ['a division by zero', [0x34, 0, 0, 0, ...RET], /divides by zero/],
    ['code beyond 16 bits', [0x10006, 0, 0, 0], /unknown/],
  ]
  for (const [name, words, message] of cases)
    test(name, () => {
      assert.throws(() => compileBpf(Uint32Array.from(words)), message)
    })

  test('numbers at their edges', () => {
    const run = (...program: number[]) =>
      compileBpf(Uint32Array.from(program))(new DataView(new ArrayBuffer(8)), 0, 8) >>> 0
    const [LD, RETA] = [
      [0x00, 0, 0],
      [0x16, 0, 0, 0],
    ] as const
    assert.equal(run(...LD, 0xffffffff, ...RETA), 0xffffffff)
    // 0xffffffff / 2, not -1 / 2.
    assert.equal(run(...LD, 0xffffffff, 0x34, 0, 0, 2, ...RETA), 0x7fffffff)
    assert.equal(run(...LD, 0xffffffff, 0x94, 0, 0, 10, ...RETA), 5)
    assert.equal(run(...LD, 1, 0x64, 0, 0, 32, ...RETA), 0)
    assert.equal(run(...LD, 0x10000, 0x24, 0, 0, 0x10001, ...RETA), 0x10000)
    // X is 0xffffffff: a load at X + 1 is no load at 0.
    assert.equal(run(0x01, 0, 0, 0xffffffff, 0x50, 0, 0, 1, 6, 0, 0, 7), 0)
    // The last byte is there, the one after it is not.
    assert.equal(run(0x30, 0, 0, 7, 6, 0, 0, 7), 7)
    assert.equal(run(0x30, 0, 0, 8, 6, 0, 0, 7), 0)
    assert.equal(run(0x20, 0, 0, 5, 6, 0, 0, 7), 0)
  })
})

function text(frames: readonly Uint8Array[]): string {
  return frames.map((frame) => Buffer.from(frame).toString('hex')).join('\n')
}
