import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { cmakeJs } from './cmake-js.mjs'
import { inRoot, root } from './project.mjs'
import { step } from './step.mjs'

/** Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer. Returns the environment to use it in. */
export function sanitizers() {
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
  return {
    LD_PRELOAD: preload.join(':'),
    DPDK_VHOST_BINDING: inRoot('build/asan/out/dpdk_vhost.node'),
    // V8 and DPDK keep what they allocate until the process ends: leaks say nothing here.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
  }
}
