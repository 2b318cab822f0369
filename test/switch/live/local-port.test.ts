import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

describe('local port', () => {
  // A namespace of its own, so that nothing of this reaches the machine's interfaces.
  const isRoot = process.getuid?.() === 0
  const unshare = isRoot ? ['--net'] : ['--net', '--map-root-user']
  const child = (command: readonly string[], name: string) => {
    const script = fileURLToPath(new URL(`./children/${name}.js`, import.meta.url))
    const [first = '', ...rest] = [...command, process.execPath, '--enable-source-maps', script]
    return run(first, rest, { timeout: 120_000, killSignal: 'SIGKILL' })
  }

  test('guests and the host reach each other', async () => {
    await child(['unshare', ...unshare], 'local-port')
  })

  test('without the right to make a TAP, what it needs is said', async () => {
    const drop = ['setpriv', '--inh-caps=-net_admin', '--bounding-set=-net_admin']
    await child(isRoot ? ['unshare', '--net', ...drop] : [], 'local-port-refused')
  })
})
