// Loaded before each test file of a slow build (`--import`): the time limits of its tests are those that they state, times
// DPDK_VHOST_TEST_PATIENCE. Limits of what tests start and wait for: test/support/patience.ts.

import { createRequire, syncBuiltinESMExports } from 'node:module'

const factor = Number(process.env.DPDK_VHOST_TEST_PATIENCE || 1)
const runner = createRequire(import.meta.url)('node:test')

for (const name of ['test', 'it', 'describe', 'suite']) {
  runner[name] = new Proxy(runner[name], {
    apply: (call, self, args) => Reflect.apply(call, self, args.map(patient)),
  })
}
syncBuiltinESMExports()

/** An argument of `test` that is options with a limit gets the longer one. */
function patient(arg) {
  return arg?.timeout > 0 ? { ...arg, timeout: arg.timeout * factor } : arg
}
