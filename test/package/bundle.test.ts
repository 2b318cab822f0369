// The tests run the modules; what is published is a bundle of them (scripts/bundle.mjs).

import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { Script } from 'node:vm'
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

/** The files that a module of the bundle loads, itself included. */
function loadedBy(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  const imports = readText(join('dist/lib', file)).matchAll(/^(?:import|\} from) .*"(\.[^"]+)";$/gm)
  for (const [, other] of imports) loadedBy(join(dirname(file), other as string), found)
  return found
}

/** The modules that a file of the bundle is made of, as esbuild notes them. */
function modulesIn(file: string): string[] {
  return Array.from(readText(join('dist/lib', file)).matchAll(/^\/\/ (\S+\.js)$/gm), ([, name]) =>
    String(name),
  )
}

test('an lcore of vswitch loads what it runs, and nothing of what checks options', () => {
  const modules = ['worker-main.js', 'switch-program.js'].flatMap((file) =>
    [...loadedBy(file)].flatMap(modulesIn),
  )
  assert.ok(modules.includes('dist/src/burst/burst.js'))
  assert.ok(modules.includes('dist/src/switch/bridge/bridge.js'))
  assert.deepEqual(
    modules.filter((name) => /^node_modules\/(zod|yaml|pino)|datapath/.test(name)),
    [],
  )
})

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

const command = inRoot('dist/lib/vswitch-main.cjs')
const codeCache = `vswitch-main.cjs.${process.version}-${process.arch}`

test('V8 takes the compiled code of vswitch', () => {
  const cachedData = readFileSync(inRoot(join('dist/lib', codeCache)))
  const script = new Script(readFileSync(command, 'utf8'), { filename: command, cachedData })
  assert.equal(script.cachedDataRejected, false)
})

test('vswitch runs without compiled code, and with that of another Node.js', (t) => {
  const folder = temporaryFolder(t)
  for (const file of ['package.json', 'dist/lib/vswitch.cjs', 'dist/lib/vswitch-main.cjs'])
    cpSync(inRoot(file), join(folder, file))
  const version = () =>
    run(process.execPath, [join(folder, 'dist/lib/vswitch.cjs'), '--version'], { cwd: folder })
  const output = version().stdout
  assert.match(output, /^\d+\.\d+\.\d+\n$/)
  writeFileSync(join(folder, 'dist/lib', codeCache), 'compiled by somebody else'.repeat(9))
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
