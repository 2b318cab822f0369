import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildEthernet, type VlanFields } from '../../../src/headers/build.js'
import { BROADCAST_MAC } from '../../../src/headers/mac.js'
import { bridgeCounters, bridgePortCounters } from '../../../src/switch/bridge/index.js'
import type { AttachmentSpec } from '../../../src/switch/spec.js'
import { station } from '../../programs/frames.js'
import { attached } from '../images.js'
import { BridgeLcore } from './bridge-lcore.js'

const [A, B] = [station(0xa), station(0xb)]
const PAYLOAD = 0x88b5

function frame(tag?: VlanFields, destination = BROADCAST_MAC, source = A): Uint8Array {
  const vlans = tag === undefined ? [] : [tag]
  return buildEthernet({ source, destination, type: PAYLOAD, vlans, minLength: 60 })
}

/** How a frame looks on the wire: `-` without a tag, else VLAN, priority and drop eligible bit. */
function look(hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  if (bytes.readUInt16BE(12) === PAYLOAD) return '-'
  assert.equal(bytes.readUInt16BE(12), 0x8100)
  assert.equal(bytes.readUInt16BE(16), PAYLOAD)
  const tci = bytes.readUInt16BE(14)
  return `${tci & 0xfff}p${tci >> 13}${(tci & 0x1000) === 0 ? '' : 'd'}`
}

const ports: Record<string, AttachmentSpec> = {
  access5: attached({ tag: 5 }),
  access6: attached({ tag: 6 }),
  access0: attached({ tag: 0 }),
  trunk: attached(),
  trunk56: attached({ trunks: [5, 6] }),
  trunk05: attached({ trunks: [0, 5] }),
  tagged5: attached({ vlanMode: 'native-tagged', tag: 5 }),
  tagged5of6: attached({ vlanMode: 'native-tagged', tag: 5, trunks: [0, 6] }),
  untagged5: attached({ vlanMode: 'native-untagged', tag: 5 }),
  untagged5of6: attached({ vlanMode: 'native-untagged', tag: 5, trunks: [6] }),
  untagged0: attached({ vlanMode: 'native-untagged', tag: 0 }),
}
const names = Object.keys(ports)

/** Which VLAN a frame of a form belongs to when it comes from each port; -1: none. */
const forms: Record<string, { tag?: VlanFields; vlans: Record<string, number> }> = {
  'no tag': {
    vlans: {
      access5: 5,
      access6: 6,
      access0: 0,
      trunk: 0,
      trunk56: -1,
      trunk05: 0,
      tagged5: 5,
      tagged5of6: 5,
      untagged5: 5,
      untagged5of6: 5,
      untagged0: 0,
    },
  },
  'VLAN 5': {
    tag: { vid: 5, pcp: 3, dei: true },
    vlans: {
      access5: -1,
      access6: -1,
      access0: -1,
      trunk: 5,
      trunk56: 5,
      trunk05: 5,
      tagged5: 5,
      tagged5of6: 5,
      untagged5: 5,
      untagged5of6: 5,
      untagged0: 5,
    },
  },
  'VLAN 6': {
    tag: { vid: 6, pcp: 7 },
    vlans: {
      access5: -1,
      access6: -1,
      access0: -1,
      trunk: 6,
      trunk56: 6,
      trunk05: -1,
      tagged5: 6,
      tagged5of6: 6,
      untagged5: 6,
      untagged5of6: 6,
      untagged0: 6,
    },
  },
  'VLAN 4095': {
    tag: { vid: 4095 },
    vlans: {
      access5: -1,
      access6: -1,
      access0: -1,
      trunk: 4095,
      trunk56: -1,
      trunk05: -1,
      tagged5: 4095,
      tagged5of6: -1,
      untagged5: 4095,
      untagged5of6: -1,
      untagged0: 4095,
    },
  },
  'a priority alone': {
    tag: { vid: 0, pcp: 6, dei: true },
    vlans: {
      access5: 5,
      access6: 6,
      access0: 0,
      trunk: 0,
      trunk56: -1,
      trunk05: 0,
      tagged5: 5,
      tagged5of6: 5,
      untagged5: 5,
      untagged5of6: 5,
      untagged0: 0,
    },
  },
}

/** In which form frames of a VLAN leave each port: `-` without a tag, `t` with; a port not listed does not carry it. */
const leaves: Record<number, Record<string, '-' | 't'>> = {
  0: { access0: '-', trunk: '-', trunk05: '-', untagged0: '-' },
  5: {
    access5: '-',
    trunk: 't',
    trunk56: 't',
    trunk05: 't',
    tagged5: 't',
    tagged5of6: 't',
    untagged5: '-',
    untagged5of6: '-',
    untagged0: 't',
  },
  6: {
    access6: '-',
    trunk: 't',
    trunk56: 't',
    tagged5: 't',
    tagged5of6: 't',
    untagged5: 't',
    untagged5of6: 't',
    untagged0: 't',
  },
  4095: { trunk: 't', tagged5: 't', untagged5: 't', untagged0: 't' },
}

/** What a tag looks like that a frame of such a form leaves with. */
function tagOf(tag: VlanFields | undefined, vlan: number): string {
  if (tag === undefined) return `${vlan}p0`
  return `${vlan}p${tag.pcp ?? 0}${tag.dei === true && tag.vid === vlan ? 'd' : ''}`
}

describe('a flooded frame goes out of every port of its VLAN in the form of the port', () => {
  for (const [form, { tag, vlans }] of Object.entries(forms)) {
    for (const [from, vlan] of Object.entries(vlans)) {
      test(`${form} from ${from}`, () => {
        const lcore = new BridgeLcore(ports)
        const sent = lcore.run(names.indexOf(from), frame(tag))
        const got = Object.fromEntries(
          sent.map((line) => {
            const [port, hex] = line.split(':') as [string, string]
            return [names[Number(port)] as string, look(hex)]
          }),
        )
        const expected: Record<string, string> = {}
        for (const [to, how] of Object.entries(leaves[vlan] ?? {}))
          if (to !== from) expected[to] = how === '-' ? '-' : tagOf(tag, vlan)
        assert.deepEqual(got, expected)
        assert.equal(sent.length, Object.keys(expected).length)
        assert.equal(bridgePortCounters(lcore.memory, names.indexOf(from)).vlan, vlan < 0 ? 1 : 0)
      })
    }
  }
})

describe('a frame for a known address goes out of its port in the form of the port', () => {
  for (const [form, { tag, vlans }] of Object.entries(forms)) {
    for (const [from, vlan] of Object.entries(vlans)) {
      if (vlan < 0) continue
      test(`${form} from ${from}`, () => {
        for (const [to, how] of Object.entries(leaves[vlan] ?? {})) {
          if (to === from) continue
          const lcore = new BridgeLcore(ports)
          const back = how === '-' ? undefined : { vid: vlan }
          lcore.run(names.indexOf(to), frame(back, BROADCAST_MAC, B))
          // Three in a burst, because the second is judged by what is remembered of the first.
          const sent = lcore.run(names.indexOf(from), ...[1, 2, 3].map(() => frame(tag, B)))
          const expected = `${names.indexOf(to)} ${how === '-' ? '-' : tagOf(tag, vlan)}`
          const got = sent.map((line) => {
            const [port, hex] = line.split(':') as [string, string]
            return `${port} ${look(hex)}`
          })
          assert.deepEqual(got, [expected, expected, expected], to)
        }
      })
    }
  }
})

describe('bytes', () => {
  const two = { a: attached({ tag: 5 }), t: attached() }

  test('a tag is put between source and type, and taken out again', () => {
    const lcore = new BridgeLcore(two)
    const plain = Buffer.from(frame()).toString('hex')
    const tagged = Buffer.from(frame({ vid: 5 }))
      .toString('hex')
      .slice(0, 128)
    assert.deepEqual(lcore.run(0, frame()), [`1:${plain.slice(0, 24)}81000005${plain.slice(24)}`])
    const [sent] = lcore.run(1, frame({ vid: 5 }, BROADCAST_MAC, B))
    assert.equal(sent?.length, 2 + 56 * 2)
    assert.ok(tagged.startsWith(plain.slice(0, 24)))
  })

  test('a frame that need not change is not touched', () => {
    const lcore = new BridgeLcore({ a: attached(), b: attached(), c: attached() })
    const given = frame({ vid: 9, pcp: 1, dei: true })
    const hex = Buffer.from(given).toString('hex')
    assert.deepEqual(lcore.run(0, given), [`1:${hex}`, `2:${hex}`])
    assert.equal(lcore.flow.burst.total, 1)
  })

  test('one duplicate at most is made, however many ports there are', () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`p${i}`, attached(i % 2 === 0 ? { tag: 5 } : {})]),
    )
    const lcore = new BridgeLcore(many)
    assert.equal(lcore.run(0, frame(), frame()).length, 78)
    assert.equal(lcore.flow.burst.total, 4)
  })

  test('without room for one, the ports of one form get the frame, and it is counted', () => {
    const lcore = new BridgeLcore({
      a: attached({ tag: 5 }),
      b: attached({ tag: 5 }),
      t: attached(),
    })
    lcore.flow.burst.duplicate = () => -1
    assert.deepEqual(lcore.reaches(0, frame()), [1])
    assert.deepEqual(lcore.reaches(2, frame({ vid: 5 }, BROADCAST_MAC, B)), [0, 1])
    assert.equal(bridgeCounters(lcore.memory).cutFloods, 1)
  })

  test('a service tag is payload, and half a tag is refused', () => {
    const lcore = new BridgeLcore({ a: attached({ tag: 5 }), b: attached({ tag: 5 }) })
    const service = buildEthernet({
      source: A,
      destination: BROADCAST_MAC,
      type: PAYLOAD,
      vlans: [{ vid: 7, tpid: 0x88a8 }],
      minLength: 60,
    })
    assert.deepEqual(lcore.run(0, service), [`1:${Buffer.from(service).toString('hex')}`])
    assert.deepEqual(lcore.run(0, frame({ vid: 0 }).subarray(0, 17)), [])
    assert.deepEqual(lcore.run(0, frame().subarray(0, 13)), [])
    assert.equal(bridgePortCounters(lcore.memory, 0).vlan, 1)
  })

  test('frames of several forms in one burst do not take each other for themselves', () => {
    const lcore = new BridgeLcore(ports)
    const trunk = names.indexOf('trunk')
    const each = Object.values(forms).map(({ tag }) => frame(tag))
    const alone = each.flatMap((one) => new BridgeLcore(ports).run(trunk, one)).sort()
    assert.deepEqual(lcore.run(trunk, ...each), alone)
    const back = [...each].reverse().flatMap((one) => [one, one])
    assert.deepEqual(
      lcore.run(trunk, ...back),
      alone.flatMap((one) => [one, one]),
    )
  })
})

describe('VLANs are apart', () => {
  test('an address is learnt in each by itself', () => {
    const lcore = new BridgeLcore({
      a5: attached({ tag: 5 }),
      a6: attached({ tag: 6 }),
      b5: attached({ tag: 5 }),
      b6: attached({ tag: 6 }),
    })
    lcore.run(0, frame(undefined, BROADCAST_MAC, B))
    assert.deepEqual(lcore.reaches(3, frame(undefined, B)), [1])
    lcore.run(1, frame(undefined, BROADCAST_MAC, B))
    assert.deepEqual(lcore.reaches(2, frame(undefined, B)), [0])
    assert.equal(bridgeCounters(lcore.memory).moves, 0)
  })

  test('what was learnt on a port that now carries another VLAN is not used', () => {
    const lcore = new BridgeLcore({ a: attached({ tag: 5 }), b: attached({ tag: 5 }) })
    lcore.run(0, frame(undefined, BROADCAST_MAC, B))
    lcore.attach('a', attached({ tag: 6 }))
    assert.deepEqual(lcore.run(1, frame(undefined, B)), [])
    assert.equal(bridgeCounters(lcore.memory).size, 1)
  })
})
