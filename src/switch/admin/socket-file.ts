/**
 * The file of a listening Unix socket. Nobody can connect before it has its mode, two processes cannot have the same
 * path, and what a dead one left is replaced.
 *
 * @packageDocumentation
 */
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  rename,
  rm,
  unlink,
} from 'node:fs/promises'
import type { Server } from 'node:net'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { listening } from './listening.js'

/** Longest path of a socket (sun_path of unix(7) with its zero byte). */
const MAX_PATH = 107
/** What to do about a path that cannot be. */
const FIX = 'give another one by --socket, or as admin.socket in the configuration'
/** How long one that replaced a stale socket waits to see that it stays, in milliseconds. */
const SETTLE_MS = 20

/** The path is taken, or cannot be used. */
export class SocketFileError extends Error {
  override readonly name = 'SocketFileError'

  constructor(
    readonly code: 'ERR_SOCKET_IN_USE' | 'ERR_PATH_NOT_SOCKET' | 'ERR_SOCKET_LISTEN',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Whose a file is, by numbers. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * Has `server` listen at `path`. A folder that is missing is made, for its owner alone.
 *
 * @param mode - permission bits of the socket
 * @param owner - of the socket, and of folders that are made; default: this process
 * @returns what removes the file, unless another process has put its own there
 * @throws {@link SocketFileError}
 */
export async function listenAt(
  server: Server,
  path: string,
  mode: number,
  owner?: Owner,
): Promise<() => Promise<void>> {
  if (Buffer.byteLength(path) > MAX_PATH) {
    throw new SocketFileError(
      'ERR_SOCKET_LISTEN',
      `${path} is longer than the ${MAX_PATH} bytes that the path of a socket may have; ${FIX}`,
    )
  }
  try {
    return await listenPrivately(server, path, mode, owner)
  } catch (error) {
    if (error instanceof SocketFileError) throw error
    const message = `cannot listen at ${path}: ${(error as Error).message}; ${FIX}`
    throw new SocketFileError('ERR_SOCKET_LISTEN', message, { cause: error })
  }
}

async function listenPrivately(
  server: Server,
  path: string,
  mode: number,
  owner: Owner | undefined,
): Promise<() => Promise<void>> {
  await makeFolders(dirname(path), owner)
  // Bound in a folder that only its owner can enter, and linked to its name once it has its mode.
  const folder = await mkdtemp(join(dirname(path), '.vswitch-'))
  try {
    const fresh = join(folder, 'socket')
    await listenInside(server, folder, basename(fresh))
    await chmod(fresh, mode)
    if (owner !== undefined) await chown(fresh, owner.uid, owner.gid)
    await putInPlace(fresh, path, folder)
    const own = await lstat(path, { bigint: true })
    return async () => {
      const now = await lstat(path, { bigint: true }).catch(() => undefined)
      if (now?.ino === own.ino && now.dev === own.dev) await unlink(path).catch(() => {})
    }
  } catch (error) {
    server.close()
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function makeFolders(path: string, owner: Owner | undefined): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined || owner === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made))
    await chown(made, owner.uid, owner.gid)
}

/** By way of the folder's descriptor, since a longer path than that of the socket itself may not fit. */
async function listenInside(server: Server, folder: string, name: string): Promise<void> {
  const handle = await open(folder)
  try {
    await listening(server, { path: `/proc/self/fd/${handle.fd}/${name}` })
  } finally {
    await handle.close()
  }
}

/** `link` fails where a file is, so of two that start at once only one succeeds. */
async function putInPlace(fresh: string, path: string, folder: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await link(fresh, path)
      if (attempt > 0) await settle(fresh, path)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 9) throw error
    }
    await removeStale(path, folder)
  }
}

/** Another that found the same stale socket may just have ours in its hands, and a third one put its own there. */
async function settle(fresh: string, path: string): Promise<void> {
  await sleep(SETTLE_MS)
  const [own, now] = await Promise.all([lstat(fresh), lstat(path).catch(() => undefined)])
  if (now?.ino !== own.ino) throw inUse(path)
}

async function removeStale(path: string, folder: string): Promise<void> {
  const file = await lstat(path).catch(() => undefined)
  if (file === undefined) return
  if (!file.isSocket()) {
    const message = `${path} exists and is no socket; remove it, or give another path`
    throw new SocketFileError('ERR_PATH_NOT_SOCKET', message)
  }
  await refuseLive(path, path)
  // Taken away before it is removed: another process may have put its own there just now.
  const aside = join(folder, 'stale')
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    await refuseLive(aside, path)
  } catch (error) {
    await link(aside, path).catch(() => {})
    throw error
  }
  await unlink(aside)
}

async function refuseLive(at: string, path: string): Promise<void> {
  if ((await probe(at)) === 'live') throw inUse(path)
}

function inUse(path: string): SocketFileError {
  const message = `another process listens at ${path}; stop it, or give another path`
  return new SocketFileError('ERR_SOCKET_IN_USE', message)
}

/** Only a refusal proves that nobody listens: no permission, or a full backlog, does not. */
function probe(path: string): Promise<'live' | 'stale'> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve('live')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? 'stale' : 'live')
    })
  })
}
