// The one way to call cmake-js: never with its default output folder, which is gyp's too.

import { createRequire } from 'node:module'

// Resolved, not assumed: an installed package finds cmake-js beside itself, not below.
const require = createRequire(import.meta.url)

/**
 * The arguments node needs to run cmake-js.
 *
 * @param {'build' | 'compile' | 'rebuild'} command `build` is incremental, `rebuild` starts afresh
 * @param {{ config?: string, out?: string, define?: Record<string, string> }} [options]
 */
export function cmakeJs(command, { config = 'Release', out, define = {} } = {}) {
  // cmake-js does not notice that a folder was configured for another configuration.
  const folder =
    out ?? (config === 'Release' ? 'build/cmake' : `build/cmake-${config.toLowerCase()}`)
  return [
    require.resolve('cmake-js/bin/cmake-js'),
    command,
    ...['-O', folder, '-B', config],
    ...Object.entries(define).map(([name, value]) => `--CD${name}=${value}`),
  ]
}
