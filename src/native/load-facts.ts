import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What there is to know about a failed load, gathered only once it has failed. */
export interface LoadFacts {
  /** The process that tried. */
  readonly runtime: { readonly arch: string; readonly libc: Libc }
  /** The file it tried, or undefined if there was none to try. */
  readonly binary: BinaryFacts | undefined
  /** Whether the user named that file by DPDK_VHOST_BINDING. */
  readonly chosenByUser: boolean
  /** The prebuilt binaries in this package, as `linux-x64/name.node`. */
  readonly prebuilds: readonly string[]
  /** ABI versions of the DPDK libraries in the system's library folders: 23 for librte_eal.so.23. */
  readonly dpdkAbis: readonly number[]
}

/** A binary as its own bytes describe it. */
export interface BinaryFacts {
  readonly file: string
  readonly exists: boolean
  /** Processor, as `process.arch` would name it; undefined if the file is no 64-bit ELF file. */
  readonly arch: string | undefined
  readonly libc: Libc | undefined
  /** Names of the shared libraries it mentions, such as librte_vhost.so.23. */
  readonly libraries: readonly string[]
}

export type Libc = 'glibc' | 'musl'

export function gatherLoadFacts(
  root: string,
  file: string | undefined,
  chosenByUser: boolean,
): LoadFacts {
  return {
    runtime: { arch: process.arch, libc: libcOfProcess() },
    binary: file === undefined ? undefined : describeBinary(file),
    chosenByUser,
    prebuilds: listPrebuilds(join(root, 'prebuilds')),
    dpdkAbis: installedDpdkAbis(),
  }
}

function libcOfProcess(): Libc {
  return readIfPresent('/proc/self/maps').includes('/ld-musl-') ? 'musl' : 'glibc'
}

/** e_machine of the ELF header, by the names Node gives processors. */
const machines: Readonly<Record<number, string>> = {
  3: 'ia32',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
}

export function describeBinary(file: string): BinaryFacts {
  // One character a byte, so that the header can be read and names be found in the same string.
  const bytes = readIfPresent(file)
  // 2: ELFCLASS64. Every platform this package is for is 64 bits wide and little-endian.
  const isElf64 = bytes.startsWith('\x7fELF\x02')
  const machine = bytes.charCodeAt(18) | (bytes.charCodeAt(19) << 8)
  // The table of dynamic strings holds each needed name between two zero bytes.
  const libraries = [...new Set(bytes.match(/(?<=\0)lib[\w.+-]+\.so\.[\d.]+(?=\0)/g))]
  return {
    file,
    exists: existsSync(file),
    arch: isElf64 ? (machines[machine] ?? `machine ${machine}`) : undefined,
    libc: libcOf(libraries),
    libraries,
  }
}

function libcOf(libraries: readonly string[]): Libc | undefined {
  if (libraries.some((name) => name.startsWith('libc.musl-'))) return 'musl'
  return libraries.includes('libc.so.6') ? 'glibc' : undefined
}

function listPrebuilds(folder: string): string[] {
  return listIfPresent(folder)
    .flatMap((platform) =>
      listIfPresent(join(folder, platform)).map((name) => `${platform}/${name}`),
    )
    .filter((name) => name.endsWith('.node'))
    .sort()
}

function installedDpdkAbis(): number[] {
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
  const prefixes = ['/usr', '/usr/local']
  const folders = prefixes.flatMap((prefix) =>
    [`lib/${triplet}`, 'lib64', 'lib'].map((folder) => join(prefix, folder)),
  )
  const versions = folders
    .flatMap(listIfPresent)
    .map((name) => /^librte_eal\.so\.(\d+)$/.exec(name)?.[1])
    .filter((version) => version !== undefined)
  return [...new Set(versions)].map(Number).sort((a, b) => a - b)
}

function readIfPresent(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

function listIfPresent(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
