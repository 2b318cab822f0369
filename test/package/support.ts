import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../src/native/root.js'

export const root = packageRoot()

export const inRoot = (...parts: string[]): string => join(root, ...parts)

export const readText = (path: string): string => readFileSync(inRoot(path), 'utf8')

/** The parts of package.json the tests look at. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly files: readonly string[]
  readonly gypfile: boolean
  readonly binary: { readonly napi_versions: readonly number[] }
}

export const manifest = JSON.parse(readText('package.json')) as Manifest

interface Scope {
  after(cleanUp: () => void): void
}

/** A folder that is gone after the test. */
export function temporaryFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-vhost-package-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Copies files and folders of the package, under the same names, to another folder. */
export function copyFromRoot(paths: readonly string[], to: string): void {
  for (const path of paths) cpSync(inRoot(path), join(to, path), { recursive: true })
}

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  /** Both streams, for a failed assertion's message. */
  readonly output: string
}

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutSeconds?: number
}

/** Runs a command with a hard time limit, in an environment free of this test run's own settings. */
export function run(command: string, args: readonly string[], options: RunOptions): Outcome {
  const child = spawnSync(command, args, {
    cwd: options.cwd,
    env: { ...cleanEnvironment(), NO_UPDATE_NOTIFIER: '1', ...options.env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: (options.timeoutSeconds ?? 20) * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
  })
  const output = `${command} ${args.join(' ')}: ${child.error?.message ?? `exit code ${child.status}`}\n${child.stdout}${child.stderr}`
  return { status: child.status, stdout: child.stdout, output }
}

/** Without what would make a child find this checkout's binary, or npm reuse this run's settings. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const unwanted =
    /^(npm_(?!config_(cache|registry|cafile)$)|DPDK_VHOST_(BINDING|PREBUILD)$|PREBUILDS_ONLY$|LD_PRELOAD$|NODE_TEST_CONTEXT$|NODE_OPTIONS$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.test(name)))
}
