import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

describe('local port', () => {
  // A namespace of its own, so that nothing of this reaches the machine's interfaces.
  const isRoot = process.getuid?.() === 0
  const unshare = isRoot ? ['--net'] : ['--net', '--map-root-user']
  test('guests and the host reach each other', async () => {
    const script = fileURLToPath(new URL('./children/local-port.js', import.meta.url))
    await run('unshare', [...unshare, process.execPath, '--enable-source-maps', script], {
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
  })
})
