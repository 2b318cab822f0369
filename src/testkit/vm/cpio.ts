/**
 * Writes cpio archives in the `newc` form, the one the Linux kernel unpacks as its first file system.
 *
 * @packageDocumentation
 */

/** A regular file or a folder; folders have no contents. */
export interface ArchiveEntry {
  /** Path without a leading slash. */
  readonly path: string
  readonly mode: number
  readonly contents?: Uint8Array
}

const S_IFDIR = 0o040000
const S_IFREG = 0o100000

/** A folder of the archive. */
export function folder(path: string): ArchiveEntry {
  return { path, mode: S_IFDIR | 0o755 }
}

/** A file of the archive. */
export function file(path: string, contents: Uint8Array, permissions = 0o644): ArchiveEntry {
  return { path, mode: S_IFREG | permissions, contents }
}

/** The archive of these entries. The same entries always give the same bytes: no times, no owners. */
export function cpio(entries: readonly ArchiveEntry[]): Buffer {
  const parts: Uint8Array[] = []
  let inode = 1
  for (const entry of entries) parts.push(...encode(entry, inode++))
  parts.push(...encode({ path: 'TRAILER!!!', mode: 0 }, 0))
  return Buffer.concat(parts)
}

/** Header, name and contents, each padded to four bytes. */
function encode(entry: ArchiveEntry, inode: number): Uint8Array[] {
  const contents = entry.contents ?? new Uint8Array()
  const name = Buffer.from(`${entry.path}\0`)
  const fields = [inode, entry.mode, 0, 0, 1, 0, contents.length, 0, 0, 0, 0, name.length, 0]
  const header = Buffer.from(
    `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`,
  )
  return [header, name, padding(header.length + name.length), contents, padding(contents.length)]
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4)
}
