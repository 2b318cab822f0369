import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'

/** Longest path of a UNIX socket, in bytes: `sun_path` has 108, the last of them 0 (unix(7)). */
export const MAX_SOCKET_PATH = 107

/** Which side of the socket is ours: a client connects, a server creates the socket and listens. */
export type SocketRole = 'client' | 'server'

/** Something wrong with a value, and what to do about it. */
export interface Trouble {
  readonly message: string
  readonly fix: string
}

/**
 * What would keep a vhost-user port from using `path`. Looks at the file system as it is now. Folders may be missing:
 * a client waits for them, and what a server does about them is {@link missingFolder}'s business.
 */
export function socketPathTrouble(path: string, role: SocketRole): Trouble | undefined {
  return socketSpellingTrouble(path) ?? folderTrouble(path, role) ?? fileTrouble(path, role)
}

/** What keeps somebody who creates no folders from making a socket at `path`. */
export function missingFolder(path: string): Trouble | undefined {
  if (socketSpellingTrouble(path) !== undefined) return undefined
  const folder = dirname(path)
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return undefined
  const missing = firstMissing(folder)
  const part = missing === folder ? '' : ` (already ${JSON.stringify(missing)} does not)`
  return {
    message: `cannot be: the folder ${JSON.stringify(folder)} does not exist${part}`,
    fix: 'create the folder',
  }
}

/** What no socket's path may be, whatever the file system has: relative, too long, empty. */
export function socketSpellingTrouble(path: string): Trouble | undefined {
  if (path === '') return { message: 'is empty', fix: 'give the absolute path of the socket' }
  if (path.includes('\0')) {
    return {
      message: 'contains a NUL byte',
      fix: 'give the path of a file; sockets of the abstract namespace have no file and cannot be used',
    }
  }
  if (!isAbsolute(path)) {
    return {
      message: 'is a relative path',
      fix: `give an absolute one, such as ${JSON.stringify(resolve(path))}`,
    }
  }
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_SOCKET_PATH) {
    return {
      message: `has ${bytes} bytes and a socket's path at most ${MAX_SOCKET_PATH}; what is beyond them would be cut off`,
      fix: 'use a shorter folder or file name',
    }
  }
  if (path.endsWith('/')) return { message: 'names a folder', fix: 'add the name of the socket' }
  return undefined
}

function folderTrouble(path: string, role: SocketRole): Trouble | undefined {
  const folder = dirname(path)
  const quoted = JSON.stringify(folder)
  try {
    if (!statSync(folder).isDirectory()) {
      return {
        message: `cannot be: ${quoted} is not a folder`,
        fix: 'choose a path in a folder',
      }
    }
    if (role === 'server') accessSync(folder, constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ENOENT':
        return undefined
      case 'ENOTDIR':
        return {
          message: `cannot be: a part of ${quoted} is not a folder`,
          fix: 'choose a path whose parts are folders',
        }
      case 'EACCES':
      case 'EROFS':
        return {
          message: `cannot be: this process may not ${role === 'server' ? 'create files in' : 'enter'} ${quoted}`,
          fix: `give user ${process.getuid?.() ?? ''} access to the folder`,
        }
      default:
        return {
          message: `cannot be: ${(error as Error).message}`,
          fix: `make sure that ${quoted} can be read`,
        }
    }
  }
}

function fileTrouble(path: string, role: SocketRole): Trouble | undefined {
  let stat: ReturnType<typeof statSync>
  try {
    stat = statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined // e.g. a link into nowhere: the port reports it when it tries to use the socket
  }
  if (stat === undefined || stat.isSocket()) return undefined
  const kind = stat.isDirectory() ? 'a folder' : 'not a socket'
  const fix =
    role === 'client'
      ? 'give the path of the socket that the peer listens on'
      : 'give a path where nothing is, or where an earlier socket was left'
  return { message: `is ${kind}`, fix }
}

/** The outermost folder of `folder` that does not exist. */
function firstMissing(folder: string): string {
  const parent = dirname(folder)
  if (parent === folder || statSync(parent, { throwIfNoEntry: false }) !== undefined) return folder
  return firstMissing(parent)
}

/** One spelling for every path of the same socket, as things are now: links followed, `//`, `.` and `..` removed. */
export function canonicalSocketPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // What is missing may be anywhere on the way.
    const folder = dirname(path)
    return folder === path ? path : join(canonicalSocketPath(folder), basename(path))
  }
}
