/** Every section of the bench works, in its shortest form, and is looked at from all sides. Never how fast anything is. */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { BUDGET, FULL_SECONDS, RESERVE } from '../../bench/budget.js'
import { SECTIONS, takesPart } from '../../bench/sections.js'
import { lookAtFootprint, lookAtMicro, lookAtScale, lookAtStart } from './looks/costs.js'
import { lookAtGc, lookAtIdleLatency, lookAtRfc2544, lookAtScrape } from './looks/latency.js'
import { lookAtQos, lookAtRates, lookAtReconnect, lookAtSlices } from './looks/rates.js'
import { type Looked, smoke } from './section-check.js'

const skip = availableParallelism() < 2 && 'the bench needs two CPUs'

/** What is asked of the results of each, besides what is asked of all. */
const LOOKS: Readonly<Record<string, (looked: Looked) => void>> = {
  rates: lookAtRates,
  slices: lookAtSlices,
  rfc2544: lookAtRfc2544,
  'idle-latency': lookAtIdleLatency,
  gc: lookAtGc,
  scrape: lookAtScrape,
  reconnect: lookAtReconnect,
  start: lookAtStart,
  footprint: lookAtFootprint,
  scale: lookAtScale,
  qos: lookAtQos,
  micro: lookAtMicro,
}

describe('every section', { skip }, () => {
  for (const { name, load } of SECTIONS) {
    test(name, { timeout: 130_000 }, async () => {
      const section = await load()
      assert.equal(section.name, name)
      const look = LOOKS[name]
      assert.ok(look, `nobody looks at the results of ${name}: add that to LOOKS`)
      look(await smoke(section))
    })
  }
})

describe('the time of all sections', () => {
  const limits = {
    quick: BUDGET.quick - RESERVE,
    usual: BUDGET.usual - RESERVE,
    full: FULL_SECONDS,
  }
  for (const effort of ['quick', 'usual', 'full'] as const) {
    test(`${effort}: fits`, async () => {
      const taking = SECTIONS.filter((entry) => takesPart(entry, effort))
      const sections = await Promise.all(taking.map(({ load }) => load()))
      const seconds = sections.map((section) => [section.name, section.seconds(effort)] as const)
      const sum = seconds.reduce((all, [, one]) => all + one, 0)
      assert.ok(sum <= limits[effort], `${sum} s: ${JSON.stringify(seconds)}`)
    })
  }
})
