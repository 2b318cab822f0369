/** The same frames through OVS-DPDK's action NORMAL and through our bridge: the same comes out of every port. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Random, seeds } from '../headers/random.js'
import { BRIDGE_DIFFERENCES, comparable } from './bridge-differences.js'
import { KINDS, Stations } from './bridge-frames.js'
import { BridgePair } from './bridge-pair.js'
import { reasonToSkip } from './skip.js'

const PORTS = 5

/** Ways in which the ports are set up, for each seed. */
const SCENES = 10

/** Times that stations move in each of them, and frames that are sent then. */
const MOVES = 3
const FRAMES = 80

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

  for (const { what, kinds, steps } of BRIDGE_DIFFERENCES) {
    test(`still so: ${what}`, async () => {
      await pair.set({ kinds })
      const last = steps.length - 1
      for (const [i, step] of steps.entries()) {
        const [outcome] = await pair.exchange(step)
        if (i < last) assert.deepEqual(outcome?.own, outcome?.ovs)
        else assert.notDeepEqual(outcome?.own, outcome?.ovs)
      }
    })
  }
})
