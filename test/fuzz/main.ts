/** Plays cases against a switch in this process. Arguments: first case, number of cases, file for the case being played. */
import { FuzzedSwitch } from './fuzzed-switch.js'

const [seed, cases, now] = process.argv.slice(2)
await using fuzzed = await FuzzedSwitch.start()
const report = await fuzzed.play({
  seed: Number(seed),
  cases: Number(cases),
  now,
  timeoutMs: 600_000,
})
console.log(JSON.stringify(report))
