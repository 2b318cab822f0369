/**
 * Stands before the compiler of a build from source (`CMAKE_CXX_COMPILER_LAUNCHER`), because the same sources are built three
 * times on the way to a package: what another build made by the same command of the same files is taken from there. Anything
 * else goes to the compiler.
 */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const FROM = 'DPDK_VHOST_TEST_OBJECTS_OF'

/** Always compiled: it includes Node-API and most of ours, so compiler, flags and headers are seen to fit together. */
const COMPILED = 'native/binding/module.cc'

interface Command {
  readonly directory: string
  readonly command: string
  readonly file: string
}

/**
 * What to build `folder` with, so that objects of the build in `done` are taken where they are the same. Nothing where the two
 * differ in any source, or `done` was not built since its sources changed.
 */
export function objectsOf(done: string, folder: string): Readonly<Record<string, string>> {
  const [theirs, ours] = [sources(done), sources(folder)]
  const isSame =
    theirs.length === ours.length &&
    theirs.every((path, i) => path === ours[i] && same(join(done, path), join(folder, path)))
  if (!isSame || !isBuilt(done, theirs)) return {}
  return {
    CMAKE_CXX_COMPILER_LAUNCHER: `${process.execPath};${fileURLToPath(import.meta.url)}`,
    [FROM]: done,
  }
}

/** What decides about objects, by paths in the package. */
function sources(folder: string): string[] {
  const native = readdirSync(join(folder, 'native'), { recursive: true, encoding: 'utf8' })
  return ['CMakeLists.txt', ...native.filter((name) => /\.(cc?|h)$/.test(name)).sort()].map(
    (name) => (name === 'CMakeLists.txt' ? name : join('native', name)),
  )
}

function same(one: string, other: string): boolean {
  return readFileSync(one).equals(readFileSync(other))
}

/** Whether all objects of a build are younger than all sources. */
function isBuilt(folder: string, paths: readonly string[]): boolean {
  const at = (path: string) => statSync(join(folder, path)).mtimeMs
  const objects = commandsOf(folder).map(({ file }) => objectOf(relative(folder, file)))
  return (
    objects.length > 0 &&
    objects.every((path) => existsSync(join(folder, path))) &&
    Math.min(...objects.map(at)) > Math.max(...paths.map(at))
  )
}

function commandsOf(folder: string): Command[] {
  const file = join(folder, 'build/cmake/compile_commands.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Command[]) : []
}

function objectOf(source: string): string {
  return join('build/cmake/CMakeFiles/dpdk_vhost.dir', `${source}.o`)
}

/** A command as it would be in any folder; modules of npm may lie above it. */
function anywhere(command: string, folder: string): string {
  return command
    .replaceAll(/\S*\/node_modules\/(?=node-(addon-api|api-headers)\b)/g, 'node_modules/')
    .replaceAll(`${folder}/`, '')
}

/** Does what the compiler was to do. */
function launch(done: string, compiler: readonly string[]): number {
  // As CMake starts compilers: in build/cmake of the package.
  const folder = resolve('../..')
  const value = (flag: string) => compiler[compiler.indexOf(flag) + 1] as string
  const [source, target] = [value('-c'), value('-o')]
  const name = relative(folder, source)
  const dependencies = ['-MD', '-MT', target, '-MF', value('-MF')]
  const command = compiler.filter((word, i) =>
    word === target ? compiler[i - 1] === '-o' : !dependencies.includes(word),
  )
  const made = commandsOf(done).find(({ file }) => relative(done, file) === name)
  const isSame =
    made !== undefined && anywhere(made.command, done) === anywhere(command.join(' '), folder)
  if (!isSame || name === COMPILED) {
    const [file = '', ...args] = compiler
    return spawnSync(file, args, { stdio: 'inherit' }).status ?? 1
  }
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(join(done, objectOf(name)), target)
  writeFileSync(value('-MF'), `${target}: ${source}\n`)
  return 0
}

const done = process.env[FROM]
if (process.argv[1] === fileURLToPath(import.meta.url) && done !== undefined) {
  process.exitCode = launch(done, process.argv.slice(2))
}
