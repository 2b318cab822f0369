// Loads that really fail, each in a process of its own with a copy of the loader.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, suite, type TestContext, test } from 'node:test'
import { copyFromRoot, inRoot, run, temporaryFolder } from './support.js'

interface Failure {
  readonly name: string
  readonly code: string
  readonly problem: string
  readonly message: string
  readonly hasCause: boolean
}

const tryToLoad = `
  const { loadBinding } = await import('./dist/src/native/load.js')
  try {
    loadBinding()
    console.log('null')
  } catch (error) {
    const { name, code, problem, message } = error
    console.log(JSON.stringify({ name, code, problem, message, hasCause: error.cause instanceof Error }))
  }`

/** A package with a loader and no binary. */
function emptyPackage(t: TestContext): string {
  const folder = temporaryFolder(t)
  copyFromRoot(['package.json', 'dist/src/native'], folder)
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(inRoot('node_modules/node-gyp-build'), join(folder, 'node_modules/node-gyp-build'))
  mkdirSync(join(folder, 'prebuilds'))
  return folder
}

function failureOfLoading(folder: string, env: Record<string, string> = {}): Failure {
  const child = run(process.execPath, ['--input-type=module', '-e', tryToLoad], {
    cwd: folder,
    env,
  })
  assert.equal(child.status, 0, child.output)
  const failure = JSON.parse(child.stdout) as Failure | null
  assert.ok(failure, 'the binary loaded')
  assert.equal(failure.name, 'NativeBindingError')
  assert.equal(failure.code, 'ERR_DPDK_VHOST_BINDING')
  assert.ok(failure.hasCause)
  return failure
}

/** Compiles a shared object that needs a library which then is taken away. */
function compileNeeding(
  folder: string,
  library: string,
  output: string,
  flags: string[] = [],
): void {
  const here = (name: string): string => join(folder, name)
  writeFileSync(here('library.c'), 'int there(void) { return 1; }\n')
  writeFileSync(here('addon.c'), 'int there(void);\nint addon(void) { return there(); }\n')
  const compile = (args: string[]): void => {
    const child = run('gcc', ['-shared', '-fPIC', ...args], { cwd: folder })
    assert.equal(child.status, 0, child.output)
  }
  compile(['-nostdlib', `-Wl,-soname,${library}`, 'library.c', '-o', library])
  mkdirSync(join(folder, output, '..'), { recursive: true })
  compile([...flags, 'addon.c', `./${library}`, '-o', output])
  rmSync(here(library))
}

const ownPrebuild = `prebuilds/linux-${process.arch}/dpdk-vhost.node`

suite('a load that fails says why', () => {
  before(() => {
    const gcc = run('gcc', ['--version'], { cwd: inRoot() })
    assert.equal(gcc.status, 0, gcc.output)
  })

  test('no binary', (t) => {
    const failure = failureOfLoading(emptyPackage(t))
    assert.equal(failure.problem, 'not-found')
    assert.match(failure.message, /in this package: none/)
    assert.match(failure.message, /npm run build/)
  })

  test('only a binary for another processor among the prebuilds', (t) => {
    const folder = emptyPackage(t)
    mkdirSync(join(folder, 'prebuilds/linux-riscv64'))
    writeFileSync(join(folder, 'prebuilds/linux-riscv64/dpdk-vhost.node'), '')
    const failure = failureOfLoading(folder)
    assert.equal(failure.problem, 'not-found')
    assert.match(failure.message, /linux-riscv64\/dpdk-vhost\.node/)
  })

  test('a chosen binary that is not there', (t) => {
    const failure = failureOfLoading(emptyPackage(t), { DPDK_VHOST_BINDING: 'nowhere/x.node' })
    assert.equal(failure.problem, 'not-found')
    assert.match(failure.message, /DPDK_VHOST_BINDING names .*nowhere\/x\.node/)
  })

  test('a DPDK library that is not there', (t) => {
    const folder = emptyPackage(t)
    compileNeeding(folder, 'librte_nothere.so.99', ownPrebuild)
    const failure = failureOfLoading(folder)
    assert.equal(failure.problem, 'missing-library')
    assert.match(failure.message, /librte_nothere\.so\.99/)
    assert.match(failure.message, /librte-nothere99/)
  })

  test('another library that is not there', (t) => {
    const folder = emptyPackage(t)
    compileNeeding(folder, 'libnothere.so.1', ownPrebuild)
    const failure = failureOfLoading(folder)
    assert.equal(failure.problem, 'missing-library')
    assert.match(failure.message, /libnothere\.so\.1/)
  })

  test('a binary for another processor', (t) => {
    const folder = emptyPackage(t)
    compileNeeding(folder, 'librte_nothere.so.99', 'other.node')
    const bytes = readFileSync(join(folder, 'other.node'))
    bytes.writeUInt16LE(243, 18) // RISC-V
    writeFileSync(join(folder, 'other.node'), bytes)
    const failure = failureOfLoading(folder, { DPDK_VHOST_BINDING: 'other.node' })
    assert.equal(failure.problem, 'architecture')
    assert.match(failure.message, new RegExp(`built for riscv64, .* runs on ${process.arch}`))
  })

  test('a binary for another C library', (t) => {
    const folder = emptyPackage(t)
    const otherLibc = isMusl() ? 'libc.so.6' : 'libc.musl-other.so.1'
    compileNeeding(folder, otherLibc, ownPrebuild, ['-nostdlib'])
    const failure = failureOfLoading(folder)
    assert.equal(failure.problem, 'libc')
    assert.match(failure.message, isMusl() ? /built for glibc/ : /built for musl/)
  })

  test('a file that is no addon', (t) => {
    const folder = emptyPackage(t)
    mkdirSync(join(folder, 'build/Release'), { recursive: true })
    writeFileSync(join(folder, 'build/Release/dpdk_vhost.node'), 'not an ELF file')
    const failure = failureOfLoading(folder)
    assert.equal(failure.problem, 'load-failed')
    assert.match(failure.message, /build\/Release\/dpdk_vhost\.node: .*(short|ELF|format)/)
  })
})

function isMusl(): boolean {
  return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-')
}
