// The tests run the modules; what is published is a bundle of them (scripts/bundle.mjs).

import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Script } from 'node:vm'
import { build } from 'esbuild'
import { inRoot, readText, root, run, temporaryFolder } from './support.js'

interface Scope {
  after(cleanUp: () => void): void
}

/** Runs a program that sees what users of the package see. */
function asUser(scope: Scope, program: string, ...options: string[]): string {
  const folder = temporaryFolder(scope)
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/dpdk-vhost'))
  writeFileSync(join(folder, 'user.mjs'), program)
  const child = run(process.execPath, [...options, join(folder, 'user.mjs')], { cwd: folder })
  assert.equal(child.status, 0, child.output)
  return child.stdout
}

const bundled = readdirSync(inRoot('dist/lib'), { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.js'),
)

test('a module of the bundle exports what the module that it is made of does', (t) => {
  const programs = bundled.filter((file) => file.startsWith('programs/'))
  const names = ['dpdk-vhost', 'dpdk-vhost/capture/recorder', 'dpdk-vhost/headers']
  for (const file of programs) names.push(`dpdk-vhost/${file.slice(0, -'.js'.length)}`)
  assert.ok(names.includes('dpdk-vhost/programs/flow-table/rule'))
  const listExports = `
    const names = ${JSON.stringify(names)}
    const exports = await Promise.all(names.map(async (name) => Object.keys(await import(name))))
    console.log(JSON.stringify({ from: import.meta.resolve('dpdk-vhost'), exports }))`
  const [bundle, modules] = [[], ['--conditions=dpdk-vhost-source']].map((options) =>
    JSON.parse(asUser(t, listExports, ...options)),
  )
  assert.match(bundle.from, /\/dist\/lib\/index\.js$/)
  assert.match(modules.from, /\/dist\/src\/index\.js$/)
  assert.deepEqual(bundle.exports, modules.exports)
})

test('the bundle has one copy of each class, whichever module it is taken from', (t) => {
  const same = asUser(
    t,
    `
    import * as api from 'dpdk-vhost'
    import { learningSwitch } from 'dpdk-vhost/programs/learning-switch'
    import { flowTable } from 'dpdk-vhost/programs/flow-table/program'
    import { Recorder } from 'dpdk-vhost/capture'
    import * as recorder from 'dpdk-vhost/capture/recorder'
    import { Burst } from 'dpdk-vhost/programs/program'
    console.log(api.learningSwitch === learningSwitch, api.flowTable === flowTable)
    console.log(api.Burst === Burst, recorder.Recorder === Recorder)`,
  )
  assert.equal(same, 'true true\ntrue true\n')
})

/** The modules that a file of the bundle is made of, as esbuild notes them. */
function modulesIn(file: string): string[] {
  return Array.from(readText(join('dist/lib', file)).matchAll(/^ *\/\/ (\S+\.js)$/gm), ([, name]) =>
    String(name),
  )
}

test('an lcore loads what it runs, and nothing of what checks options', () => {
  const modules = modulesIn('lcore-main.cjs')
  assert.ok(modules.includes('dist/src/burst/burst.js'))
  assert.ok(modules.includes('dist/src/switch/bridge/bridge.js'))
  assert.ok(modules.includes('dist/src/programs/cross-connect.js'))
  assert.deepEqual(
    modules.filter((name) => /^node_modules\/|datapath/.test(name)),
    [],
  )
})

test('what lcores run is in the bundle once', () => {
  const ofLcores = new Set(modulesIn('lcore-main.cjs'))
  const twice = bundled.flatMap((file) =>
    readText(join('dist/lib', file))
      .split(/^\/\/ (?=\S+\.js$)/m)
      .filter(
        (part) =>
          ofLcores.has(part.split('\n')[0] as string) && /\bclass\b|\bfunction\b/.test(part),
      )
      .map((part) => `${file}: ${part}`),
  )
  assert.deepEqual(twice, [])
})

test('Workers have programs of the bundle without the loader of modules, and those of users with it', (t) => {
  const answers = asUser(
    t,
    `
    import { writeFileSync } from 'node:fs'
    import { Datapath } from 'dpdk-vhost'
    const mine = new URL('./mine.mjs', import.meta.url)
    writeFileSync(mine, \`
      import { CrossConnect } from 'dpdk-vhost/programs/cross-connect'
      import { Burst, ConfigError } from 'dpdk-vhost/programs/program'
      export default () => ({
        burst() {},
        idle(burst) { this.same = burst instanceof Burst },
        message() {
          try { new CrossConnect({ pairs: 7 }) } catch (error) { return [this.same, error instanceof ConfigError] }
        },
      })\`)
    const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
    const lcore = await datapath.launch('dpdk-vhost/programs/cross-connect', { data: { pairs: [['a', 'b']] } })
    console.log(JSON.stringify(await lcore.call({ type: 'pairs' })))
    await lcore.replace(mine)
    let answer
    do answer = await lcore.call()
    while (answer[0] === undefined)
    console.log(JSON.stringify(answer))
    const refused = await datapath.launch('dpdk-vhost/programs/cross-connect', { data: { pairs: 7 } }).catch((e) => e)
    console.log(refused.message)
    await datapath.close()`,
  )
  const [pairs, same, refused] = answers.split('\n')
  assert.equal(pairs, '[]')
  assert.equal(same, '[true,true]')
  assert.match(refused as string, /pairs/)
})

for (const format of ['esm', 'cjs'] as const) {
  test(`a program that is bundled with the package runs: ${format}`, async (t) => {
    const folder = temporaryFolder(t)
    const file = join(folder, format === 'esm' ? 'bundle.mjs' : 'bundle.cjs')
    const contents = `
      import { crossConnect, Datapath } from 'dpdk-vhost'
      const main = async () => {
        const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
        console.log((await datapath.run(crossConnect())).thread)
        await datapath.close()
      }
      main()`
    const here = `const hereUrl = require('node:url').pathToFileURL(__filename).href`
    await build({
      stdin: { contents, resolveDir: root },
      bundle: true,
      platform: 'node',
      outfile: file,
      format,
      ...(format === 'cjs' && { define: { 'import.meta.url': 'hereUrl' }, banner: { js: here } }),
      logLevel: 'error',
    })
    writeFileSync(join(folder, 'package.json'), '{}')
    const addon = inRoot('build/Release/dpdk_vhost.node')
    const child = run(process.execPath, [file], {
      cwd: folder,
      env: { ...process.env, DPDK_VHOST_BINDING: addon },
    })
    assert.equal(child.stdout, 'main\n', child.output)
  })
}

test('a switch of the bundle polls in a Worker and on the main thread', (t) => {
  const threads = asUser(
    t,
    `
    import { crossConnect, Datapath } from 'dpdk-vhost'
    const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
    const worker = await datapath.launch('dpdk-vhost/programs/learning-switch')
    const main = await datapath.run(crossConnect())
    console.log(worker.thread, (await worker.call({ type: 'stats' })).size, main.thread)
    await datapath.close()`,
  )
  assert.equal(threads, 'worker 0 main\n')
})

test('vswitch of the bundle runs, and runs a program of its user', (t) => {
  const folder = temporaryFolder(t)
  const socket = join(folder, 'admin.sock')
  const program = join(folder, 'program.ts')
  writeFileSync(
    program,
    `import { Burst } from 'dpdk-vhost'
    export default () => ({ burst() {}, idle: (burst: unknown) => burst instanceof Burst && process.exit(7) })`,
  )
  const config = {
    datapath: { memory: 'memfd' },
    admin: { socket },
    bridges: [{ name: 'br0', program }],
  }
  writeFileSync(join(folder, 'vswitch.json'), JSON.stringify(config))
  const child = run(
    'timeout',
    ['5', inRoot('dist/lib/vswitch.cjs'), 'run', join(folder, 'vswitch.json')],
    { cwd: folder },
  )
  assert.match(child.output, /the switch runs: /)
  // The program was handed the Burst that it imports, and says so by ending the thread.
  assert.match(child.output, /ended with code 7/)
})

const cacheOf = (script: string) => `${script}.${process.version}-${process.arch}`

for (const name of ['vswitch-main.cjs', 'lcore-main.cjs']) {
  test(`V8 takes the compiled code of ${name}`, () => {
    const filename = inRoot(join('dist/lib', name))
    const cachedData = readFileSync(cacheOf(filename))
    const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData })
    assert.equal(script.cachedDataRejected, false)
  })
}

test('vswitch runs without compiled code, and with that of another Node.js', (t) => {
  const folder = temporaryFolder(t)
  for (const file of ['package.json', 'dist/lib/vswitch.cjs', 'dist/lib/vswitch-main.cjs'])
    cpSync(inRoot(file), join(folder, file))
  const version = () =>
    run(process.execPath, [join(folder, 'dist/lib/vswitch.cjs'), '--version'], { cwd: folder })
  const output = version().stdout
  assert.match(output, /^\d+\.\d+\.\d+\n$/)
  writeFileSync(
    join(folder, 'dist/lib', cacheOf('vswitch-main.cjs')),
    'compiled by somebody else'.repeat(9),
  )
  assert.equal(version().stdout, output)
})

test('errors have the names of their classes', (t) => {
  const words = asUser(
    t,
    `import { Datapath, DatapathError } from 'dpdk-vhost'
    const error = await Datapath.open({ memory: 'memfd', memoryMiB: 64, ealArgs: ['--no-such'] }).catch((e) => e)
    console.log(error instanceof DatapathError, error.constructor.name, error.stack.split(':')[0])`,
  )
  assert.equal(words, 'true DatapathError DatapathError\n')
})

test('constants of the modules are constants of the bundle', () => {
  const variables = bundled.flatMap((file) =>
    Array.from(
      readText(join('dist/lib', file)).matchAll(/^var [A-Z][A-Z0-9_]* = -?\d+;$/gm),
      ([line]) => `${file}: ${line}`,
    ),
  )
  assert.deepEqual(variables, [])
})
