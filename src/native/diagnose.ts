import type { BindingProblem } from './binding-error.js'
import type { LoadFacts } from './load-facts.js'

/** Why a load failed, and the text that tells the user so. */
export interface Diagnosis {
  readonly problem: BindingProblem
  readonly message: string
}

const REBUILD = `Build it from source (needs DPDK's development files, a C++ compiler and cmake):
  in a checkout:    npm run build
  as a dependency:  npm explore dpdk-vhost -- npm run rebuild-native`

/** Works out, from the loader's error and what can be seen around it, what is wrong and what helps. */
export function diagnose(error: Error, facts: LoadFacts): Diagnosis {
  const { runtime, binary } = facts
  // The loader reports a file for another processor as "No such file", so look before listening.
  if (!binary?.exists) return notFound(facts)
  if (binary.arch !== undefined && binary.arch !== runtime.arch) {
    return {
      problem: 'architecture',
      message: `${binary.file} is built for ${binary.arch}, but this Node.js runs on ${runtime.arch}.\n${REBUILD}`,
    }
  }
  if (binary.libc !== undefined && binary.libc !== runtime.libc) {
    return {
      problem: 'libc',
      message: `${binary.file} is built for ${binary.libc}, but this Node.js runs on ${runtime.libc}.\n${REBUILD}`,
    }
  }
  const library = missingLibrary(error.message)
  if (library !== undefined) return libraryIsMissing(library, facts)
  const newer = /version `((?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)' not found/.exec(error.message)?.[1]
  if (newer !== undefined) {
    return {
      problem: 'libc',
      message: `${binary.file} needs newer system libraries than this machine has (${newer}).\n${REBUILD}`,
    }
  }
  return {
    problem: 'load-failed',
    message: `The addon could not be loaded from ${binary.file}: ${error.message}`,
  }
}

function notFound({ runtime, binary, chosenByUser, prebuilds }: LoadFacts): Diagnosis {
  if (binary !== undefined && chosenByUser) {
    return {
      problem: 'not-found',
      message: `DPDK_VHOST_BINDING names ${binary.file}, which does not exist.`,
    }
  }
  const has = prebuilds.length > 0 ? prebuilds.join(', ') : 'none'
  return {
    problem: 'not-found',
    message: `There is no binary of the addon for linux-${runtime.arch} with ${runtime.libc}; prebuilt ones in this package: ${has}.\n${REBUILD}`,
  }
}

/** The library a loader's message says it did not find: glibc's words, or musl's. */
function missingLibrary(message: string): string | undefined {
  return (
    /^([^\s/]+\.so[.\d]*): cannot open shared object file: No such file/m.exec(message)?.[1] ??
    /Error loading shared library (\S+): No such file/.exec(message)?.[1]
  )
}

function libraryIsMissing(library: string, facts: LoadFacts): Diagnosis {
  const lines = [
    `The addon needs the shared library ${library}, which this machine does not have.`,
    ...(dpdkAbi(library) === undefined
      ? ['Install the package of your distribution that contains it.']
      : adviceOnDpdk(library, facts)),
  ]
  return { problem: 'missing-library', message: lines.join('\n') }
}

function adviceOnDpdk(library: string, { binary, dpdkAbis }: LoadFacts): string[] {
  const abi = dpdkAbi(library) as number
  // The loader names only the first one it misses; a machine without one often lacks them all.
  const libraries = new Set([library, ...(binary?.libraries ?? [])])
  const needed = [...libraries].filter((name) => dpdkAbi(name) === abi).map(debianPackage)
  const packages = [...needed.sort(), ...driverPackages]
  const others = dpdkAbis.includes(abi) ? [] : dpdkAbis
  return [
    `It belongs to DPDK ${releaseOf(abi)}. On a Debian or Ubuntu that packages this DPDK:`,
    `  apt-get install ${packages.join(' ')}`,
    ...(others.length > 0
      ? [
          `This machine has DPDK ${others.map(releaseOf).join(' and ')} instead; the addon must then be built against it.`,
          REBUILD,
        ]
      : []),
  ]
}

/** DPDK loads memory pool and network drivers by itself, so no library depends on their packages. */
const driverPackages = ['librte-meta-mempool', 'librte-meta-net']

/** 23 for librte_vhost.so.23; undefined for what is no library of DPDK. */
function dpdkAbi(library: string): number | undefined {
  const version = /^librte_\w+\.so\.(\d+)/.exec(library)?.[1]
  return version === undefined ? undefined : Number(version)
}

/** Since 20.11 every November release starts a new ABI: 21 with 20.11, 23 with 22.11. */
function releaseOf(abi: number): string {
  return `${abi - 1}.11 (ABI ${abi})`
}

/** librte_net_virtio.so.23 is in librte-net-virtio23; a name that ends in a digit gets a dash first. */
function debianPackage(library: string): string {
  const [, name = '', abi = ''] = /^librte_(\w+)\.so\.(\d+)/.exec(library) ?? []
  return `librte-${name.replaceAll('_', '-')}${/\d$/.test(name) ? '-' : ''}${abi}`
}
