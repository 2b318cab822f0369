/** The same frames through OVS-DPDK's action NORMAL and through our bridge: the same comes out of every port. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Random, seeds } from '../headers/random.js'
import { BRIDGE_DIFFERENCES, comparable, comparableBehind } from './bridge-differences.js'
import { KINDS, Stations } from './bridge-frames.js'
import { BridgePair } from './bridge-pair.js'
import { reasonToSkip } from './skip.js'

const PORTS = 5

/** Ways in which the ports are set up, for each seed. */
const SCENES = 10

/** Times that stations move in each of them, and frames that are sent then. */
const MOVES = 3
const FRAMES = 80

/** What decides before the bridge does. */
const RULES: readonly (readonly [what: string, rules: readonly string[]])[] = [
  ['all of it', ['actions=normal']],
  [
    'some of it',
    [
      'priority=3,udp,actions=drop',
      'priority=2,in_port=0,dl_vlan=5,actions=output:3',
      'priority=1,actions=normal',
    ],
  ],
  ['and to a port besides', ['actions=normal,output:2']],
  [
    'in a table after',
    [
      'table=0,actions=goto_table:1',
      'table=1,priority=1,udp,actions=drop',
      'table=1,priority=0,actions=normal',
    ],
  ],
  [
    'another destination',
    ['priority=1,udp,actions=mod_dl_dst:02:00:00:00:01:03,normal', 'priority=0,actions=normal'],
  ],
  [
    'another VLAN',
    ['priority=1,dl_vlan=5,actions=mod_vlan_vid:6,normal', 'priority=0,actions=normal'],
  ],
  ['no tag', ['priority=1,dl_vlan=6,actions=strip_vlan,normal', 'priority=0,actions=normal']],
]

describe('bridges do what OVS-DPDK does', { skip: reasonToSkip() }, () => {
  let pair: BridgePair
  before(async () => {
    pair = await BridgePair.start(PORTS)
  })
  after(() => pair?.[Symbol.asyncDispose]())

  for (const seed of seeds()) {
    test(`random ports and frames, seed ${seed}`, async () => {
      const random = new Random(seed)
      let arrived = 0
      for (let scene = 0; scene < SCENES; scene++) {
        const kinds = Array.from({ length: PORTS }, () => random.pick(KINDS))
        await pair.set({ kinds })
        const stations = new Stations(random, PORTS)
        for (let time = 0; time < MOVES; time++) {
          await pair.same({ frames: comparable(kinds, stations.move()), twice: false })
          const frames = comparable(kinds, stations.speak(FRAMES))
          const { ovs } = await pair.same({ frames, twice: true })
          arrived += ovs.flat().length
        }
      }
      assert.ok(arrived > (SCENES * MOVES * FRAMES) / 4, `only ${arrived} frames came`)
    })
  }

  for (const [what, rules] of RULES) {
    test(`behind rules: ${what}`, async () => {
      const random = new Random(rules.length)
      let arrived = 0
      for (let scene = 0; scene < 2; scene++) {
        const kinds = Array.from({ length: PORTS }, () => random.pick(KINDS))
        await pair.set({ kinds, rules })
        const stations = new Stations(random, PORTS)
        await pair.same({ frames: comparableBehind(kinds, stations.move()), twice: false })
        const frames = comparableBehind(kinds, stations.speak(FRAMES))
        const { ovs } = await pair.same({ frames, twice: true })
        arrived += ovs.flat().length
      }
      assert.ok(arrived > FRAMES / 4, `only ${arrived} frames came`)
    })
  }

  for (const { what, kinds, rules = undefined, steps } of BRIDGE_DIFFERENCES) {
    test(`still so: ${what}`, async () => {
      await pair.set(rules === undefined ? { kinds } : { kinds, rules })
      const last = steps.length - 1
      for (const [i, step] of steps.entries()) {
        const [outcome] = await pair.exchange(step)
        if (i < last) assert.deepEqual(outcome?.own, outcome?.ovs)
        else assert.notDeepEqual(outcome?.own, outcome?.ovs)
      }
    })
  }
})
