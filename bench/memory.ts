import { readdirSync, readFileSync } from 'node:fs'

const HUGEPAGES = '/sys/kernel/mm/hugepages'

/** MiB each process gets. */
const PROCESS_MIB = 256

/** Memory of the processes that are measured: the same kind for all of them. */
export interface Memory {
  readonly kind: 'hugepages' | 'memfd'
  readonly mib: number
  /** EAL's arguments for it. */
  readonly ealArgs: readonly string[]
}

/** Takes hugepages where there are enough for both sides of a measurement. */
export function chooseMemory(asked: 'auto' | Memory['kind']): Memory {
  const free = freeHugepagesMiB()
  const kind = asked === 'auto' ? (free >= 2 * PROCESS_MIB ? 'hugepages' : 'memfd') : asked
  if (kind === 'hugepages' && free < 2 * PROCESS_MIB) {
    throw new Error(
      `--memory hugepages needs ${2 * PROCESS_MIB} MiB of free hugepages, there are ${free} MiB; ` +
        `reserve them (as root: echo ${PROCESS_MIB + 16} > /proc/sys/vm/nr_hugepages) or use --memory memfd`,
    )
  }
  const mode =
    kind === 'hugepages' ? ['--in-memory', '--single-file-segments'] : ['--no-huge', '--no-shconf']
  return { kind, mib: PROCESS_MIB, ealArgs: [...mode, '-m', String(PROCESS_MIB)] }
}

/** Memory for so many processes at once: hugepages only where there are enough for all. */
export function memoryForAll(processes: number, memory: Memory): Memory {
  const enough = freeHugepagesMiB() >= processes * memory.mib
  return memory.kind === 'hugepages' && !enough ? chooseMemory('memfd') : memory
}

export function freeHugepagesMiB(): number {
  return hugepages().reduce((sum, { free, sizeKiB }) => sum + (free * sizeKiB) / 1024, 0)
}

/** Hugepages of each size the kernel offers. */
export function hugepages(): { sizeKiB: number; total: number; free: number }[] {
  const read = (file: string) => Number(readFileSync(`${HUGEPAGES}/${file}`, 'utf8'))
  try {
    return readdirSync(HUGEPAGES).map((folder) => ({
      sizeKiB: Number(folder.match(/\d+/)?.[0]),
      total: read(`${folder}/nr_hugepages`),
      free: read(`${folder}/free_hugepages`),
    }))
  } catch {
    return []
  }
}
