import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Burst, ConfigError } from 'dpdk-vhost'
import { ProgramBundler } from '../../../src/switch/live/program-bundle.js'
import { socketFolder } from '../../support/loopback.js'

describe('bundles of users’ programs', () => {
  test('TypeScript with packages of its own and ours', async () => {
    using folder = socketFolder()
    using bundler = new ProgramBundler()
    const { path } = folder
    mkdirSync(join(path, 'node_modules/old'), { recursive: true })
    writeFileSync(
      join(path, 'node_modules/old/index.js'),
      "module.exports = { base: require('node:path').basename('/a/b') }",
    )
    writeFileSync(join(path, 'helper.ts'), 'export const two: number = 2\n')
    const file = join(path, 'program.ts')
    writeFileSync(
      file,
      `import { Burst } from 'dpdk-vhost'
       import { formatMac } from 'dpdk-vhost/headers'
       import { base } from 'old'
       import { two } from './helper.ts'
       export default { Burst, mac: formatMac(two), base, url: import.meta.url }`,
    )
    const { url } = await bundler.bundle(file)
    const { default: made } = await import(url)
    assert.equal(made.Burst, Burst, 'the class of this very package')
    assert.equal(made.mac, '00:00:00:00:00:02')
    assert.equal(made.base, 'b')
    assert.equal(fileURLToPath(made.url), file)
  })

  test('a changed file is another module, an unchanged one the same', async () => {
    using folder = socketFolder()
    using bundler = new ProgramBundler()
    const file = join(folder.path, 'program.ts')
    writeFileSync(join(folder.path, 'n.ts'), 'export const n = 1')
    writeFileSync(file, "import { n } from './n.js'\nexport default n")
    const first = await bundler.bundle(file)
    assert.equal((await bundler.bundle(file)).url, first.url)
    writeFileSync(join(folder.path, 'n.ts'), 'export const n = 2')
    const second = await bundler.bundle(file)
    assert.notEqual(second.url, first.url)
    assert.equal((await import(first.url)).default, 1)
    assert.equal((await import(second.url)).default, 2)
  })

  test('every mistake with its place', async () => {
    using folder = socketFolder()
    using bundler = new ProgramBundler()
    const file = join(folder.path, 'program.ts')
    writeFileSync(
      file,
      "import a from 'no-such-package'\nimport b from './nothing.js'\nexport default a + b\n",
    )
    await assert.rejects(bundler.bundle(file), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.equal(error.problems.length, 2)
      assert.match(error.message, /program\.ts:1:15: could not resolve "no-such-package"/)
      assert.match(error.message, /program\.ts:2:15: could not resolve ".\/nothing.js"/)
      return true
    })
    writeFileSync(file, 'export default (burst: Burst => {}\n')
    await assert.rejects(bundler.bundle(file), /program\.ts:1:30: expected "\)"/)
    writeFileSync(file, "export * from 'dpdk-vhost/nothing'\n")
    await assert.rejects(bundler.bundle(file), /program\.ts:1:15: .*dpdk-vhost\/nothing/s)
  })

  test('the folder is private and goes with the bundler', async () => {
    using folder = socketFolder()
    const file = join(folder.path, 'program.js')
    writeFileSync(file, 'export default 1')
    const bundler = new ProgramBundler()
    const { url } = await bundler.bundle(file)
    const made = dirname(fileURLToPath(url))
    const { statSync, existsSync } = await import('node:fs')
    assert.equal(dirname(made), tmpdir())
    assert.equal(statSync(made).mode & 0o777, 0o700)
    assert.ok(readdirSync(made).length > 0)
    bundler[Symbol.dispose]()
    assert.ok(!existsSync(made))
  })
})
