// What `npm run bench` runs: makes the checkout ready for what was asked for, and then is the bench.

import { spawnSync } from 'node:child_process'
import { inRoot } from './lib/project.mjs'

const args = process.argv.slice(2)
const flags = ['--bench', ...(comparesWithOvs() ? ['--ovs'] : [])]
const prepared = spawnSync(process.execPath, [inRoot('scripts/prepare.mjs'), ...flags], {
  stdio: 'inherit',
})
if (prepared.status !== 0) process.exit(prepared.status ?? 1)
await import(inRoot('dist/bench/main.js'))

/** Unless nothing is measured, or nothing but contenders that are something else. */
function comparesWithOvs() {
  if (['micro', 'qos', 'scale'].includes(args[0])) return false
  if (['--help', '--from'].some((flag) => args.includes(flag))) return false
  const [only] = args.join(' ').match(/(?<=--only[ =])\S+/) ?? []
  return (
    only === undefined ||
    !only.split(',').every((name) => /^(testpmd|native|ts|vswitch)-/.test(name))
  )
}
