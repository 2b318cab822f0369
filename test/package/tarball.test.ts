// From the sources to what a user installs: prebuild, pack, install, load. All of it happens in a copy
// of the package, since prebuildify and gyp clear folders that the checkout is running from.

import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { objectsOf } from './compile-once.js'
import { copyFromRoot, inRoot, manifest, readText, root, run, temporaryFolder } from './support.js'

/** Building the addon is most of what these tests take. */
const BUILD = { timeoutSeconds: 280 }

const platform = `linux-${process.arch}`
// A sanitizer run is about the addon, and would run compilers under the sanitizer.
const skip = process.env.DPDK_VHOST_BINDING ? 'a binary was chosen by DPDK_VHOST_BINDING' : false

suite('the package that users install', { skip }, () => {
  const copy = temporaryFolder({ after })
  const consumer = temporaryFolder({ after })

  before(() => copyPackage(copy))

  test('npm run prebuilds makes one binary for this platform', () => {
    const child = run('npm', ['run', 'prebuilds'], {
      cwd: copy,
      env: objectsOf(root, copy),
      ...BUILD,
    })
    assert.equal(child.status, 0, child.output)
    const prebuilds = readdirSync(join(copy, 'prebuilds', platform))
    assert.equal(prebuilds.length, 1)
    assert.match(prebuilds[0] ?? '', /^dpdk-vhost\.(glibc|musl)\.node$/)
  })

  test('the binary names its libraries by soname, and no folder of the machine that built it', () => {
    const [prebuild = ''] = readdirSync(join(copy, 'prebuilds', platform))
    const child = run('readelf', ['--dynamic', '--wide', prebuild], {
      cwd: join(copy, 'prebuilds', platform),
    })
    assert.equal(child.status, 0, child.output)
    assert.match(child.stdout, /NEEDED.*\[librte_vhost\.so\.\d+\]/)
    assert.doesNotMatch(child.stdout, /RPATH|RUNPATH|NEEDED.*\[.*\//)
  })

  test('npm pack and npm install work offline and without scripts', () => {
    const packed = run('npm', ['pack', '--json'], { cwd: copy })
    assert.equal(packed.status, 0, packed.output)
    const tarball = `${manifest.name}-${manifest.version}.tgz`
    const dependencies = provideDependencies(consumer)
    writeFileSync(join(consumer, 'package.json'), JSON.stringify({ private: true, dependencies }))
    const install = [
      'install',
      '--offline',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      join(copy, tarball),
    ]
    const installed = run('npm', install, {
      cwd: consumer,
      env: { npm_config_cache: join(consumer, 'empty-cache') },
      timeoutSeconds: 60,
    })
    assert.equal(installed.status, 0, installed.output)
    const content = readdirSync(join(consumer, 'node_modules', manifest.name)).sort()
    for (const name of [
      'CMakeLists.txt',
      'LICENSE',
      'binding.gyp',
      'dist',
      'native',
      'prebuilds',
      'scripts',
    ]) {
      assert.ok(content.includes(name), `${name} is missing among ${content.join(', ')}`)
    }
    for (const name of ['build', 'test', 'node_modules']) assert.ok(!content.includes(name), name)
    // Of the sources, what is installed as it is.
    const src = join(consumer, 'node_modules', manifest.name, 'src')
    const sources = readdirSync(src, { recursive: true, withFileTypes: true })
    assert.deepEqual(
      sources.filter((entry) => entry.isFile()).map(({ name }) => name),
      ['vswitch.service'],
    )
  })

  test('the installed package loads its prebuilt binary', () => {
    const program = `
      import { readFileSync } from 'node:fs'
      await import('dpdk-vhost')
      const { loadBinding } = await import('./node_modules/dpdk-vhost/dist/src/native/load.js')
      const exported = Object.keys(loadBinding()).length
      const file = /\\S+\\.node$/m.exec(readFileSync('/proc/self/maps', 'utf8'))[0]
      console.log(JSON.stringify({ exported, file }))`
    const child = run(process.execPath, ['--input-type=module', '-e', program], {
      cwd: consumer,
      env: { PREBUILDS_ONLY: '1' },
    })
    assert.equal(child.status, 0, child.output)
    const { exported, file } = JSON.parse(child.stdout) as { exported: number; file: string }
    assert.ok(exported > 0)
    assert.equal(
      dirname(file),
      join(consumer, 'node_modules', manifest.name, 'prebuilds', platform),
    )
  })

  test('the installed package has a command that works', () => {
    const command = join(consumer, 'node_modules/.bin/vswitch')
    const env = { PREBUILDS_ONLY: '1' }
    const version = run(command, ['--version'], { cwd: consumer, env })
    assert.equal(version.stdout, `${manifest.version}\n`, version.output)
    writeFileSync(join(consumer, 'vswitch.yaml'), 'bridges: [{ name: br0 }]\n')
    const good = run(command, ['check', 'vswitch.yaml'], { cwd: consumer, env })
    assert.equal(good.status, 0, good.output)
    writeFileSync(join(consumer, 'bad.yaml'), 'bridges: [{ nmae: br0 }]\n')
    const bad = run(command, ['check', 'bad.yaml'], { cwd: consumer, env })
    assert.equal(bad.status, 1, bad.output)
    assert.match(bad.output, /bad\.yaml:1:\d+: bridges\[0\]\.nmae/)
  })

  test('the installed package can be built from source: node-gyp by way of CMake', () => {
    const installed = join(consumer, 'node_modules', manifest.name)
    rmSync(join(installed, 'prebuilds'), { recursive: true })
    const headers = join(dirname(dirname(process.execPath)), 'include/node/common.gypi')
    const nodeGyp = inRoot('node_modules/node-gyp/bin/node-gyp.js')
    const nodedir = dirname(dirname(dirname(headers)))
    // What npm does; without what node-gyp needs, the same build without it.
    const command =
      existsSync(headers) && run('python3', ['--version'], { cwd: installed }).status === 0
        ? [process.execPath, nodeGyp, 'rebuild', `--nodedir=${nodedir}`]
        : ['npm', 'run', 'rebuild-native']
    const child = run('npm', ['explore', manifest.name, '--', ...command], {
      cwd: consumer,
      // The copy has just been built, the checkout may not have been.
      env: objectsOf(copy, installed),
      ...BUILD,
    })
    assert.equal(child.status, 0, child.output)
    assert.deepEqual(
      readdirSync(join(installed, 'build/Release')).filter((name) => name.endsWith('.node')),
      ['dpdk_vhost.node'],
    )
  })
})

/** The package as it is in a checkout, compiled but without any binary. */
function copyPackage(folder: string): void {
  const listed = manifest.files.filter((path) => path !== 'prebuilds')
  const optional = ['README.md'].filter((path) => existsSync(inRoot(path)))
  copyFromRoot([...listed, ...optional, 'package.json', 'LICENSE', 'scripts'], folder)
  symlinkSync(inRoot('node_modules'), join(folder, 'node_modules'))
}

/**
 * Puts there what npm would download: our dependencies and all that they need. Returns them as a
 * package would declare them: what nobody asked for npm would look up again.
 */
function provideDependencies(folder: string): Record<string, string> {
  const { packages } = JSON.parse(readText('package-lock.json')) as {
    packages: Record<string, { version: string; dev?: boolean; optional?: boolean }>
  }
  const provided: Record<string, string> = {}
  for (const [path, { dev, optional, version }] of Object.entries(packages)) {
    // A package inside another one comes along with it.
    if (path === '' || dev || path.lastIndexOf('node_modules/') > 0) continue
    // For other platforms.
    if (optional && !existsSync(inRoot(path))) continue
    cpSync(inRoot(path), join(folder, path), { recursive: true })
    provided[path.slice('node_modules/'.length)] = version
  }
  // npm fetches a package anew when its commands are not linked.
  const commands = 'node_modules/.bin'
  cpSync(inRoot(commands), join(folder, commands), { recursive: true, verbatimSymlinks: true })
  return provided
}
