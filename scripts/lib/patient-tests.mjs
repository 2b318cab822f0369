// Loaded before each test file of a slow build (`--import`): time limits of its tests, and of what they start, are those
// that they state, times DPDK_VHOST_TEST_PATIENCE. Other limits: test/support/patience.ts.

import { createRequire, syncBuiltinESMExports } from 'node:module'
import { promisify } from 'node:util'

const factor = Number(process.env.DPDK_VHOST_TEST_PATIENCE || 1)
const require = createRequire(import.meta.url)

for (const [name, calls] of Object.entries({
  'node:test': ['test', 'it', 'describe', 'suite'],
  'node:child_process': ['spawn', 'spawnSync', 'exec', 'execFile', 'execFileSync', 'fork'],
})) {
  const module = require(name)
  for (const call of calls) module[call] = patient(module[call])
}
syncBuiltinESMExports()

/** The same, but `timeout` of its options is longer. */
function patient(call) {
  const longer = (arg) => (arg?.timeout > 0 ? { ...arg, timeout: arg.timeout * factor } : arg)
  const own = Object.getOwnPropertyDescriptors(call)
  if (promisify.custom in call) own[promisify.custom].value = patient(call[promisify.custom])
  function longCall(...args) {
    return Reflect.apply(call, this, args.map(longer))
  }
  return Object.defineProperties(longCall, own)
}
