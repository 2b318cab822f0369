import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { watch } from 'chokidar'
import { parse } from 'yaml'

/** Changes that follow each other within that time, in milliseconds, are one. */
const SETTLE_MS = 100
/** How far the clock of files may be behind that of programs, in milliseconds: a tick of the kernel. */
const CLOCK_MS = 10

/**
 * Calls `onChange` after the configuration at `path`, or a file that it names, has changed.
 *
 * Watched are their folders: editors put a new file in the place of the old one, which nobody would learn who watches
 * that.
 *
 * @param since - when the configuration was read, in milliseconds since the epoch: what changed after that counts
 * @returns what ends it
 */
export async function watchConfig(
  path: string,
  since: number,
  onChange: () => void,
): Promise<() => Promise<void>> {
  let files = filesOf(path)
  const folders = () => [...new Set([...files].map((file) => dirname(file)))]
  const watcher = watch(folders(), {
    depth: 0,
    ignoreInitial: true,
    ignored: (file, stats) => stats?.isFile() === true && !files.has(file),
  })
  let settle: NodeJS.Timeout | undefined
  const changed = () => {
    clearTimeout(settle)
    settle = setTimeout(() => {
      files = filesOf(path, files)
      watcher.add(folders())
      onChange()
    }, SETTLE_MS)
  }
  watcher.on('all', (_event, file) => {
    if (files.has(file)) changed()
  })
  // A folder that cannot be watched is not worth a switch.
  watcher.on('error', () => {})
  await new Promise<void>((ready) => watcher.once('ready', () => ready()))
  if ([...files].some((file) => modifiedAt(file) > since - CLOCK_MS)) changed()
  return async () => {
    clearTimeout(settle)
    await watcher.close()
  }
}

/** In milliseconds since the epoch. */
function modifiedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/**
 * The configuration and the files it names: of flows, and of programs.
 *
 * @param before - what they were, for when it cannot be read now
 */
export function filesOf(path: string, before: ReadonlySet<string> = new Set()): Set<string> {
  const config = resolve(path)
  try {
    const { bridges = [] } = (parse(readFileSync(config, 'utf8')) ?? {}) as {
      bridges?: { flowsFile?: unknown; program?: unknown }[]
    }
    const named = bridges.flatMap(({ flowsFile, program }) => {
      const file = (program as { file?: unknown } | undefined)?.file ?? program
      return [flowsFile, file].filter((name) => typeof name === 'string')
    })
    return new Set([config, ...named.map((name) => resolve(dirname(config), name))])
  } catch {
    return new Set([config, ...before])
  }
}
