// Runs the tests against an addon built with AddressSanitizer and UndefinedBehaviorSanitizer.
// Arguments are those of test.mjs.

import { spawnSync } from 'node:child_process'
import { inRoot, root } from './lib/project.mjs'
import { sanitizers } from './lib/sanitizers.mjs'

const child = spawnSync(process.execPath, [inRoot('scripts/test.mjs'), ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    ...sanitizers(),
    DPDK_VHOST_TEST_TIMEOUT: process.env.DPDK_VHOST_TEST_TIMEOUT ?? '900',
  },
})
process.exitCode = child.status ?? 1
