// Makes this checkout ready to run: system packages, node_modules, the addon, the compiled
// TypeScript. Does only what is not done yet, and nothing at all when nothing changed.
// Options are those of setup.mjs. Plain Node and no dependencies: it runs before `npm ci`.

import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cmakeJs } from './lib/cmake-js.mjs'
import { fingerprint } from './lib/fingerprint.mjs'
import { withLock } from './lib/lock.mjs'
import { nodeModulesAreCurrent } from './lib/node-modules.mjs'
import { giveToOwner } from './lib/ownership.mjs'
import { inRoot, root } from './lib/project.mjs'
import { fail, say, step } from './lib/step.mjs'
import { missing, moduleVersion } from './lib/system-packages.mjs'
import { pruneDist } from './prune-dist.mjs'

const setupFlags = process.argv.slice(2)
const stampFile = inRoot('build/.prepared.json')

checkNodeVersion()
await withLock(inRoot('build/.preparing'), () => {
  const made = [
    prepareSystem(),
    prepareDependencies(),
    prepareNative(),
    prepareTypeScript(),
    prepareBundle(),
  ]
  if (made.some(Boolean)) giveToOwner(['node_modules', 'build', 'dist'])
})

function checkNodeVersion() {
  const wanted = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')).engines.node
  const [major, minor] = wanted.match(/\d+/g).map(Number)
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number)
  if (haveMajor < major || (haveMajor === major && haveMinor < minor)) {
    fail(`Node.js ${wanted} is needed; this is ${process.version}.`)
  }
}

function prepareSystem() {
  const groups = ['base', ...setupFlags.map((flag) => flag.replace(/^--/, ''))]
  if (missing(groups).length === 0) return false
  const setup = [inRoot('scripts/setup.mjs'), ...setupFlags]
  // It says its own steps, on stderr.
  const child = spawnSync(process.execPath, setup, { stdio: ['inherit', 2, 2] })
  if (child.status === 0) return true
  // They are a small part of what needs them: the rest runs, and that part says what is missing.
  if (missing(groups).every(({ group }) => group === 'vm' || group === 'ovs')) {
    say('Going on without virtual machines or OVS-DPDK: see above for what is missing.')
    return false
  }
  fail('Not everything this needs is installed: see above.')
}

function prepareDependencies() {
  if (nodeModulesAreCurrent()) return false
  // Under `npm run --silent` npm would not even say why it fails; development dependencies are
  // needed whatever NODE_ENV says.
  const args = ['ci', '--include=dev', '--loglevel=error', '--no-audit', '--no-fund']
  // The npm that runs us, if one does, rather than another one on PATH.
  const npm = process.env.npm_execpath
  if (npm?.endsWith('.js')) step('npm ci', process.execPath, [npm, ...args], { cwd: root })
  else step('npm ci', 'npm', args, { cwd: root })
  return true
}

function prepareNative() {
  const dpdk = moduleVersion('libdpdk')
  const inputs = ['native', 'CMakeLists.txt', 'node_modules/.package-lock.json']
  return once('native', fingerprint(inputs, [dpdk]), ['build/Release/dpdk_vhost.node'], () => {
    // CMake remembers where it found DPDK; another version must be looked for anew.
    if (readStamps().dpdk !== dpdk) rmSync(inRoot('build/cmake'), { recursive: true, force: true })
    step('building the addon', process.execPath, cmakeJs('build'), { cwd: root })
    writeStamps({ dpdk })
  })
}

function prepareTypeScript() {
  const inputs = [
    'src',
    'test',
    'bench',
    'tsconfig.json',
    'package.json',
    'node_modules/.package-lock.json',
  ]
  return once('typescript', fingerprint(inputs), ['dist/.tsbuildinfo'], () => {
    pruneDist()
    step('compiling TypeScript', process.execPath, ['node_modules/typescript/bin/tsc'], {
      cwd: root,
    })
  })
}

function prepareBundle() {
  const inputs = ['dist/src', 'scripts/bundle.mjs', 'package.json']
  return once('bundle', fingerprint(inputs), ['dist/lib'], () => {
    step('bundling', process.execPath, [inRoot('scripts/bundle.mjs')], { cwd: root })
  })
}

/**
 * Runs `make` unless neither its inputs nor its outputs changed since it last succeeded. The inputs'
 * fingerprint is from before: a file saved while `make` runs must count as changed the next time.
 */
function once(name, inputs, outputs, make) {
  const last = readStamps()[name]
  if (last?.inputs === inputs && last.outputs === fingerprint(outputs)) return false
  make()
  writeStamps({ [name]: { inputs, outputs: fingerprint(outputs) } })
  return true
}

function readStamps() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'))
  } catch {
    return {}
  }
}

function writeStamps(changes) {
  writeFileSync(stampFile, JSON.stringify({ ...readStamps(), ...changes }))
}
