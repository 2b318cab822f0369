/** The same rules and the same frames through OVS-DPDK and through our flow table: the same comes out of every port. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { buildArpRequest, buildEcho, buildTcp, buildUdp } from '../../src/headers/build.js'
import { replace16 } from '../../src/headers/checksum.js'
import { type Kind, randomFrame } from '../flows/random-flows.js'
import { Random, seeds } from '../headers/random.js'
import { DIFFERENCES } from './differences.js'
import { explain } from './explain.js'
import type { Sent } from './guests.js'
import { Pair } from './pair.js'
import { ruleSet } from './rules.js'
import { reasonToSkip } from './skip.js'
import { OwnSwitch } from './switches.js'

const PORTS = 4

/** Sets of rules for each seed: their kind, and how many rules. */
const SETS: readonly [Kind, number, number][] = [
  ...Array.from({ length: 3 }, () => ['anything', 1, 8] as [Kind, number, number]),
  ...Array.from({ length: 5 }, () => ['anything', 9, 60] as [Kind, number, number]),
  ['tuples', 20, 300],
  ['prefixes', 20, 200],
]

/** Frames for each set. They are sent twice: OVS decides the second ones by what it remembers of the first. */
const FRAMES = 160

/** What a guest can send; both switches drop what has no whole Ethernet header. */
const SHORTEST = 14

/**
 * Why OVS refuses rules that `ovs-ofctl` takes, or `ovs-ofctl` has no words for them in one version of OpenFlow: the
 * README of the flow table says which.
 */
const REASONS = ['OFPBAC_MATCH_INCONSISTENT', 'OFPBAC_BAD_TAG', 'OFPBMC_BAD_PREREQ', 'no words']

const common = {
  source: '02:00:00:00:00:01',
  destination: '02:00:00:00:00:02',
  sourceIp: '10.0.0.1',
  destinationIp: '10.0.0.2',
}
const v6 = { ...common, sourceIp: '2001:db8::1', destinationIp: '2001:db8::2' }
const payload = Uint8Array.from({ length: 21 }, (_, i) => 3 * i)
const flow = { sourcePort: 1000, destinationPort: 80, payload }

/** With these flags and offset, and the checksum that goes with them. */
function fragmentOf(frame: Uint8Array, flagsAndOffset: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset)
  const at = view.getUint16(12) === 0x0800 ? 14 : 18
  replace16(view, at + 6, flagsAndOffset, at + 10)
  return frame
}

/** One frame of each kind, with a tag and without. */
const EACH: readonly Uint8Array[] = [[], [{ vid: 5, pcp: 3 }]].flatMap((vlans) => [
  buildTcp({ ...common, ...flow, vlans }),
  buildUdp({ ...common, ...flow, vlans }),
  buildTcp({ ...v6, ...flow, vlans }),
  buildUdp({ ...v6, ...flow, vlans }),
  fragmentOf(buildUdp({ ...common, ...flow, vlans }), 0x2000),
  fragmentOf(buildUdp({ ...common, ...flow, vlans }), 0x2003),
  buildEcho({ ...common, payload, vlans }),
  buildEcho({ ...v6, payload, vlans }),
  buildArpRequest({ senderMac: common.source, senderIp: '10.0.0.1', targetIp: '10.0.0.2', vlans }),
])

const CASES: readonly (readonly [what: string, rules: readonly string[]])[] = [
  ['no rule', []],
  [
    'priorities',
    [
      'priority=2,tcp,actions=output:1',
      'priority=3,ip,actions=output:2',
      'priority=1,actions=output:3',
    ],
  ],
  ['drop', ['priority=2,udp,actions=drop', 'priority=1,actions=flood']],
  [
    'several outputs, one of them where it came from',
    ['actions=output:0,output:1,output:2,output:1'],
  ],
  ['in_port', ['actions=in_port,output:3']],
  [
    'outputs before and after a change',
    ['actions=output:1,mod_dl_src:02:00:00:00:00:09,output:2,mod_dl_dst:02:00:00:00:00:08,in_port'],
  ],
  ['flood and then one more', ['actions=flood,output:1']],
  ['all', ['actions=all']],
  [
    'a table after the other, by registers',
    [
      'table=0,in_port=0,actions=set_field:7->reg1,output:3,goto_table:1',
      'table=0,in_port=1,actions=set_field:0x12345678->metadata,goto_table:2',
      'table=1,reg1=7,ip,actions=load:3->reg2[4..7],goto_table:2',
      'table=2,reg2=0x30/0xf0,actions=dec_ttl,output:1',
      'table=2,metadata=0x12340000/0xffff0000,actions=output:2',
    ],
  ],
  ['a table without a rule', ['table=0,actions=output:1,goto_table:1']],
  ['addresses of IPv4', ['ip,actions=mod_nw_src:192.168.7.8,mod_nw_dst:172.16.0.1,in_port']],
  [
    'addresses of IPv6',
    ['ipv6,actions=set_field:2001:db8:5::9->ipv6_src,set_field:fe80::77->ipv6_dst,in_port'],
  ],
  [
    'ports',
    [
      'priority=2,tcp,actions=mod_tp_src:1,mod_tp_dst:65535,in_port',
      'udp,actions=mod_tp_src:53,in_port',
      'tcp6,actions=mod_tp_dst:443,in_port',
      'udp6,actions=mod_tp_dst:1,in_port',
    ],
  ],
  [
    'type of service and time to live',
    [
      'ip,actions=mod_nw_tos:184,set_field:9->nw_ttl,dec_ttl,in_port',
      'ipv6,actions=mod_nw_tos:32,set_field:1->nw_ecn,set_field:1->nw_ttl,dec_ttl,in_port',
    ],
  ],
  [
    'ICMP',
    [
      'icmp,actions=set_field:3->icmp_type,set_field:1->icmp_code,in_port',
      'icmp6,actions=set_field:129->icmpv6_type,in_port',
    ],
  ],
  [
    'ARP',
    [
      'arp,actions=set_field:2->arp_op,set_field:10.0.0.9->arp_spa,set_field:02:00:00:00:00:07->arp_tha,in_port',
    ],
  ],
  ['a label', ['ipv6,actions=set_field:0x12345->ipv6_label,in_port']],
  ['push', ['actions=push_vlan:0x8100,set_field:4101->vlan_vid,set_field:6->vlan_pcp,in_port']],
  ['push of a service tag', ['actions=push_vlan:0x88a8,set_field:4096->vlan_vid,in_port']],
  ['pop', ['actions=pop_vlan,in_port']],
  ['set, with a tag and without', ['actions=mod_vlan_vid:77,output:1,mod_vlan_pcp:2,in_port']],
  ['pop and then set', ['actions=pop_vlan,output:2,mod_vlan_pcp:4,in_port']],
  [
    'matches on tags',
    [
      'priority=3,dl_vlan=5,actions=output:1',
      'priority=2,dl_vlan_pcp=3,actions=output:2',
      'priority=1,dl_vlan=0xffff,actions=output:3',
    ],
  ],
  [
    'a tag of rules before',
    ['table=0,actions=mod_vlan_vid:9,goto_table:1', 'table=1,dl_vlan=9,actions=in_port'],
  ],
  ['a meter', ['actions=meter:1,in_port']],
  [
    'ports of fragments',
    ['priority=2,udp,tp_dst=80,actions=output:1', 'priority=1,udp,tp_dst=0,actions=output:2'],
  ],
  ['the controller', ['actions=controller,output:1,controller:20']],
]

/** Frames with which these rules do not show a known difference. */
function comparable(rules: readonly string[], frames: readonly Sent[]): Sent[] {
  const seen = DIFFERENCES.filter((one) => rules.some((rule) => one.rules.test(rule)))
  return frames.filter(({ bytes }) => !seen.some((one) => one.frames(bytes)))
}

describe('flow tables do what OVS-DPDK does', { skip: reasonToSkip() }, () => {
  let pair: Pair
  before(async () => {
    const columns = Array.from({ length: PORTS }, () => [])
    pair = await Pair.start(columns, (folder) => OwnSwitch.start(folder, PORTS))
  })
  after(() => pair?.[Symbol.asyncDispose]())

  /** Fails with the smallest case there is. Returns how many frames came out. */
  async function same(rules: readonly string[], all: readonly Sent[]): Promise<number> {
    const frames = comparable(rules, all)
    const decided = await pair.exchange(frames)
    const remembered = await pair.exchange(frames)
    for (const { ovs, own } of [decided, remembered]) {
      if (!isDeepStrictEqual(ovs, own)) assert.fail(await explain(pair, rules, frames))
    }
    return decided.ovs.flat().length
  }

  for (const [what, rules] of CASES) {
    test(what, async () => {
      assert.deepEqual(await pair.setRules(rules), [])
      const frames = [0, 1].flatMap((port) => EACH.map((bytes) => ({ port, bytes })))
      assert.ok((await same(rules, frames)) > 0 || rules.length === 0)
    })
  }

  for (const seed of seeds()) {
    test(`random rules and frames, seed ${seed}`, async () => {
      const random = new Random(seed)
      let [rules, refused, arrived] = [0, 0, 0]
      for (const [kind, least, most] of SETS) {
        const all = ruleSet(random, kind, random.between(least, most))
        const left = await pair.setRules(all)
        for (const { rule, why } of left) assert.ok(REASONS.includes(why), `${why}: ${rule}`)
        const taken = all.filter((rule) => !left.some((one) => one.rule === rule))
        const frames = Array.from({ length: FRAMES }, (_, i) => ({
          port: i % PORTS,
          bytes: randomFrame(random),
        })).filter(({ bytes }) => bytes.length >= SHORTEST)
        arrived += await same(taken, frames)
        rules += all.length
        refused += left.length
      }
      assert.ok(refused < rules / 5, `${refused} of ${rules} rules were refused`)
      assert.ok(arrived > (SETS.length * FRAMES) / 4, `only ${arrived} frames came`)
    })
  }

  for (const { what, rule, more = [], frame } of DIFFERENCES) {
    test(`still so: ${what}`, async () => {
      assert.deepEqual(await pair.setRules([rule, ...more]), [])
      const { ovs, own } = await pair.exchange([{ port: 0, bytes: frame }])
      assert.notDeepEqual(ovs, own)
    })
  }
})
