import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { inRoot, root, run } from './support.js'

const setup = (args: readonly string[], env: Record<string, string> = {}) =>
  run(process.execPath, ['scripts/setup.mjs', ...args], { cwd: root, env })

/** With these folders on PATH nothing is found. */
const bareMachine = { PATH: '/nonexistent' }

suite('npm run setup', () => {
  test('says what is missing, and with --check leaves it at that', () => {
    const { status, output } = setup(['--check', '--vm'], bareMachine)
    assert.equal(status, 1)
    for (const what of [/DPDK libraries/, /dpdk-testpmd/, /cmake/, /ninja/, /QEMU/]) {
      assert.match(output, what)
    }
    assert.doesNotMatch(output, /clang-format/)
  })

  test('does nothing where nothing is missing', () => {
    const { status, output } = setup([])
    assert.equal(status, 0, output)
    assert.match(output, /nothing to do/)
  })

  test('an unknown flag is answered with the known ones', () => {
    const { status, output } = setup(['--everything'])
    assert.equal(status, 1)
    assert.match(output, /--vm/)
  })

  test('knows a distribution by itself or by its relatives', async () => {
    const module = pathToFileURL(inRoot('scripts/lib/distribution.mjs')).href
    const { distribution } = (await import(module)) as {
      distribution(osRelease: string): { family: string | undefined; name: string }
    }
    const family = (osRelease: string) => distribution(osRelease).family
    assert.equal(family('PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n'), 'debian')
    assert.equal(family('NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n'), 'debian')
    assert.equal(family('ID="rocky"\nID_LIKE="rhel centos fedora"\n'), 'fedora')
    assert.equal(family('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n'), 'suse')
    assert.equal(family('ID=void\n'), undefined)
    assert.equal(family(''), undefined)
  })
})
