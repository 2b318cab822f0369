// Holds together what several files say about the same thing.

import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { inRoot, manifest, readText, root, run } from './support.js'

test('binding.gyp only hands over to CMake', () => {
  const { targets } = JSON.parse(readText('binding.gyp')) as {
    targets: { type: string; sources?: string[]; actions: { action: string[] }[] }[]
  }
  assert.equal(targets.length, 1)
  assert.equal(targets[0]?.type, 'none')
  assert.equal(targets[0]?.sources, undefined)
  assert.deepEqual(targets[0]?.actions[0]?.action.slice(0, 2), ['node', 'scripts/gyp-to-cmake.mjs'])
})

test('CMake and package.json agree on the version of Node-API', () => {
  const inCMake = /set\(NAPI_VERSION (\d+)\)/.exec(readText('CMakeLists.txt'))?.[1]
  assert.deepEqual(manifest.binary.napi_versions, [Number(inCMake)])
})

test('everything a build from source needs is a dependency and in the tarball', () => {
  for (const name of ['cmake-js', 'node-addon-api', 'node-gyp-build']) {
    assert.ok(manifest.dependencies[name], name)
  }
  assert.match(readText('src/native/load.ts'), /require\('node-gyp-build'\)/)
  assert.match(manifest.scripts['rebuild-native'] ?? '', /^cmake-js /)
  assert.match(
    manifest.scripts.prebuilds ?? '',
    /^prebuildify .*--node-gyp \.\/scripts\/node-gyp-shim\.mjs/,
  )
  assert.ok(manifest.devDependencies.prebuildify)
  assert.ok(manifest.devDependencies['node-gyp'])
  const imports = ['scripts/gyp-to-cmake.mjs', 'scripts/lib/cmake-js.mjs']
  for (const path of [
    'native',
    'CMakeLists.txt',
    'binding.gyp',
    'prebuilds',
    'dist/src',
    ...imports,
  ]) {
    assert.ok(manifest.files.includes(path), path)
  }
})

test('cmake-js never works in the folder that gyp wipes', () => {
  for (const [name, script] of Object.entries(manifest.scripts)) {
    if (script.includes('cmake-js')) assert.match(script, /-O build\/cmake( |$)/, name)
  }
})

test('installing runs no script, and building no hook by accident', () => {
  assert.equal(manifest.gypfile, false)
  // npm runs pre* and post* around scripts of the same name, and some by themselves.
  const automatic = /^(pre|post)?(install|pack|publish|build|prepare)$/
  const names = Object.keys(manifest.scripts).filter((name) => name !== 'build')
  assert.deepEqual(
    names.filter((name) => automatic.test(name)),
    [],
  )
})

test('dependencies are pinned to one version each', () => {
  const all = { ...manifest.dependencies, ...manifest.devDependencies }
  for (const [name, version] of Object.entries(all)) assert.match(version, /^\d+\.\d+\.\d+$/, name)
})

test('the lock file names no registry', () => {
  assert.doesNotMatch(readText('package-lock.json'), /"resolved"/)
})

test('the lock file holds the platforms other developers have', () => {
  const { packages } = JSON.parse(readText('package-lock.json')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string>; integrity?: string }>
  }
  for (const [path, entry] of Object.entries(packages)) {
    if (path !== '') assert.ok(entry.integrity, `${path} has no integrity`)
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      assert.ok(packages[`node_modules/${name}`], `${name}, which ${path} wants, is not locked`)
    }
  }
})

test('what package.json exports is there', () => {
  for (const [name, target] of Object.entries(manifest.exports)) {
    for (const path of typeof target === 'string' ? [target] : Object.values(target)) {
      const folder = path.slice(0, path.indexOf('*'))
      const found = path.includes('*')
        ? readdirSync(inRoot(folder)).length > 0
        : existsSync(inRoot(path))
      assert.ok(found, `${name}: ${path}`)
    }
  }
})

test('the package can be imported by its name', () => {
  const program =
    "for (const name of ['dpdk-vhost', 'dpdk-vhost/headers', 'dpdk-vhost/testkit']) await import(name)"
  const child = run(process.execPath, ['--input-type=module', '-e', program], { cwd: root })
  assert.equal(child.status, 0, child.output)
})
