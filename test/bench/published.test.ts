/** What is made of the results in docs/benchmarks, README's tables among it, is as they are. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Report } from '../../bench/json-report.js'
import { derivedFiles, orphans } from '../../bench/page/published.js'
import { readmeTables } from '../../bench/page/readme-tables.js'
import type { RatesResult } from '../../bench/rates/result.js'
import { machine } from './support.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))

describe('docs/benchmarks', async () => {
  const files = await derivedFiles(root)

  test('has a run, its pages, and tables in README', () => {
    const names = [...files.keys()]
    assert.ok(names.includes('README.md') && names.includes('docs/benchmarks/README.md'))
    assert.ok(names.some((name) => /^docs\/benchmarks\/.*\.html$/.test(name)))
  })

  for (const [file, text] of files) {
    test(`${file} is as its results are`, () => {
      const now = readFileSync(`${root}${file}`, 'utf8')
      assert.ok(now === text, `${file} differs from its results: npm run bench:pages`)
    })
  }

  test('has no page without results', () => {
    assert.deepEqual(orphans(root), [], 'npm run bench:pages')
  })
})

test("README's tables have what was measured, and no more", () => {
  const run = (name: string, mpps: number) => ({
    ...{ name, ring: 'split', frameBytes: 64, mpps, cyclesPerPacket: 123.4 },
    ...{ samples: [mpps], rounds: [] },
  })
  const report: Report & RatesResult = {
    machine: { ...machine(), command: 'npm run bench -- --full --json a.json' },
    settings: { effort: 'full', patienceSeconds: 0, rounds: 5, seconds: 1, burst: 32 },
    sections: {},
    runs: [run('testpmd-io', 10), run('ts-io', 12), { ...run('ts-io', 99), frameBytes: 128 }],
    ratios: { 'ts-io/testpmd-io@split@64': 1.234, 'vswitch-normal/ovs-normal@split@64': 2 },
    ratioRounds: { 'vswitch-normal/ovs-normal@split@64': [1.5, 2, 2.5] },
    cycleRatios: {},
    boundaries: [],
    noise: { calibrations: [], putAside: 0 },
    caveats: [],
  }
  const text = readmeTables(report, 'details.md')
  assert.match(
    text,
    /`npm run bench -- --full`, medians of 5 .*\[everything measured\]\(details\.md\)/,
  )
  assert.match(text, /\| `ts-io`: .* \| 12\.0 \| 123 \| 1\.23 \|\n/)
  assert.match(text, /a bridge against `NORMAL` \| 2\.00 \(1\.50 to 2\.50\) \|/)
  assert.match(text, /What to know of this run: no hugepages/)
  assert.doesNotMatch(text, /native-io|packed|99/)
})
