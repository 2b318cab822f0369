import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { cmakeJs } from './cmake-js.mjs'
import { inRoot, root } from './project.mjs'
import { step } from './step.mjs'

const KINDS = {
  address: {
    flags: 'address,undefined',
    out: 'build/asan',
    libraries: ['libasan.so', 'libubsan.so'],
    env: {
      // V8 and DPDK keep what they allocate until the process ends: leaks say nothing here.
      ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0',
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    },
  },
  thread: {
    flags: 'thread',
    out: 'build/tsan',
    libraries: ['libtsan.so'],
    // Tests go on and say what they have to say: who reads the reports says whether there are any.
    // A process that ends waits for its control thread for two seconds, not for ever: that thread is no leak.
    env: {
      TSAN_OPTIONS: `suppressions=${inRoot('scripts/lib/tsan.supp')}:exitcode=0:report_thread_leaks=0`,
    },
  },
}

/**
 * Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer (`address`), or ThreadSanitizer (`thread`).
 * Returns the environment to use it in.
 */
export function sanitizers(kind = 'address') {
  const { flags, out, libraries, env } = KINDS[kind]
  const build = cmakeJs('build', {
    config: 'Debug',
    out,
    define: { DPDK_VHOST_SANITIZE: flags },
  })
  step('building the addon with sanitizers', process.execPath, build, { cwd: root })

  // The sanitizer must be there before anything else of the process; libstdc++ with it, or its hooks
  // on C++ exceptions find nothing to hook.
  const preload = [...libraries, 'libstdc++.so'].map((name) =>
    realpathSync(execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim()),
  )
  return {
    LD_PRELOAD: preload.join(':'),
    DPDK_VHOST_BINDING: inRoot(`${out}/out/dpdk_vhost.node`),
    ...env,
  }
}
