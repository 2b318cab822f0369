/** Cases of the fuzzer that are always the same; more of them: `npm run test:fuzz`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FuzzedSwitch } from './fuzzed-switch.js'

const CASES = 900

test('made-up messages and rings', { timeout: 120_000 }, async () => {
  await using fuzzed = await FuzzedSwitch.start()
  const { cases, socket, split, packed, refused, came } = await fuzzed.play({
    seed: 400,
    cases: CASES,
  })
  assert.equal(cases, CASES)
  for (const [what, count] of Object.entries({ socket, split, packed }))
    assert.ok(Number(count) > CASES / 10, `${count} ${what}`)
  // Some messages are refused, and some frames of the guest are good.
  assert.ok(Number(refused) > CASES / 50, `${refused} refused`)
  assert.ok(Number(came) > 0, `${came} came`)
})
