import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { nearest } from 'dpdk-vhost'

/** Longest configuration or file of flows, in bytes: more than a hundred thousand rules. */
export const MAX_FILE = 16 * 1024 * 1024

/** The text of a file, or what keeps it from being read. */
export type ReadText =
  | { readonly text: string }
  | { readonly trouble: { readonly message: string; readonly fix: string } }

/** Reads a file of text in UTF-8. */
export function readText(path: string): ReadText {
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    const stat = fstatSync(fd)
    if (stat.isDirectory()) return trouble('is a folder', 'give the path of a file')
    const bytes = readAll(fd)
    if (bytes.length > MAX_FILE)
      return trouble(`has more than ${MAX_FILE >> 20} MiB`, 'give a file that is smaller')
    return decode(bytes)
  } catch (error) {
    return fileTrouble(path, error as NodeJS.ErrnoException)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function trouble(message: string, fix: string): ReadText {
  return { trouble: { message, fix } }
}

/** Up to one byte more than there may be; what is read may be a pipe. */
function readAll(fd: number): Buffer {
  const chunks: Buffer[] = []
  let length = 0
  while (length <= MAX_FILE) {
    const chunk = Buffer.allocUnsafe(65536)
    const count = readSync(fd, chunk, 0, chunk.length, null)
    if (count === 0) break
    chunks.push(chunk.subarray(0, count))
    length += count
  }
  return Buffer.concat(chunks)
}

function decode(bytes: Buffer): ReadText {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  if (utf16) return trouble('is text in UTF-16', 'save it in UTF-8')
  if (bytes.includes(0)) return trouble('is not text: it has bytes of 0', 'give a file of text')
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return trouble('is not text in UTF-8', 'save it in UTF-8')
  }
}

function fileTrouble(path: string, error: NodeJS.ErrnoException): ReadText {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return trouble('does not exist', neighbour(path) ?? 'give the path of a file')
    case 'EACCES':
    case 'EPERM':
      return trouble(
        'may not be read by this process',
        `give user ${process.getuid?.() ?? ''} permission to read it`,
      )
    default:
      return trouble(`cannot be read: ${error.message}`, 'make sure that it can')
  }
}

/** A file of nearly that name. */
function neighbour(path: string): string | undefined {
  try {
    const near = nearest(basename(path), readdirSync(dirname(path)))
    return near === undefined ? undefined : `did you mean ${near}?`
  } catch {
    return undefined
  }
}
