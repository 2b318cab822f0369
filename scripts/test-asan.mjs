// Runs the tests against an addon built with AddressSanitizer and UndefinedBehaviorSanitizer.
// Arguments are those of test.mjs.

import { execFileSync, spawnSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { cmakeJs } from './lib/cmake-js.mjs'
import { inRoot, root } from './lib/project.mjs'
import { step } from './lib/step.mjs'

const build = cmakeJs('build', {
  config: 'Debug',
  out: 'build/asan',
  define: { DPDK_VHOST_SANITIZE: 'address,undefined' },
})
step('building the addon with sanitizers', process.execPath, build, { cwd: root })

// The sanitizer must be there before anything else of the process; libstdc++ with it, or its hooks
// on C++ exceptions find nothing to hook.
const preload = ['libasan.so', 'libubsan.so', 'libstdc++.so'].map((name) =>
  realpathSync(execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim()),
)

const child = spawnSync(process.execPath, [inRoot('scripts/test.mjs'), ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    LD_PRELOAD: preload.join(':'),
    DPDK_VHOST_BINDING: inRoot('build/asan/out/dpdk_vhost.node'),
    // V8 and DPDK keep what they allocate until the process ends: leaks say nothing here.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    DPDK_VHOST_TEST_TIMEOUT: process.env.DPDK_VHOST_TEST_TIMEOUT ?? '900',
  },
})
process.exitCode = child.status ?? 1
