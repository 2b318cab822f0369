/**
 * Makes the guest's first and only file system: BusyBox, the kernel modules, and our `/init`.
 *
 * @packageDocumentation
 */
import { createHash, randomUUID } from 'node:crypto'
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { type ArchiveEntry, cpio, file, folder } from './cpio.js'
import { VirtualMachineError } from './errors.js'
import { INIT_SCRIPT, INTERFACE_SCRIPT, INTERFACE_SCRIPT_PATH } from './guest-script.js'
import { hostProgram } from './host-program.js'
import { cacheFolder, HOW_TO_INSTALL, type KernelImage } from './kernel-image.js'

/** Loaded at boot: the PCI transport, the network device, and the serial device the command channels go over. */
const BOOT_MODULES = ['virtio_pci', 'virtio_net', 'virtio_console']

const FOLDERS = [
  ...['bin', 'dev', 'etc', 'lib', 'lib64', 'lib/modules'],
  ...['proc', 'root', 'run', 'sys', 'tmp'],
]

/** At hand for `insmod /lib/modules/<name>.ko`: VLANs and the kernel's packet generator. */
const SPARE_MODULES = ['8021q', 'pktgen']

/** The path of the archive for this kernel and these programs, made now unless the same one was made before. */
export async function initramfs(
  kernel: KernelImage,
  programs: readonly string[] = [],
): Promise<string> {
  const busybox = await readBusybox()
  const boot = await kernel.modules(BOOT_MODULES)
  const spare = await kernel.modules(SPARE_MODULES)
  const all = new Map([...boot, ...spare].map((module) => [module.name, module.contents]))
  const archive = cpio([
    ...FOLDERS.map(folder),
    file(INTERFACE_SCRIPT_PATH.slice(1), Buffer.from(INTERFACE_SCRIPT), 0o755),
    file('init', Buffer.from(INIT_SCRIPT), 0o755),
    file('bin/busybox', busybox, 0o755),
    // Programs that ask who they run as.
    file('etc/passwd', Buffer.from('root:x:0:0::/root:/bin/sh\n')),
    file('lib/modules/load', Buffer.from(boot.map((module) => `${module.name}\n`).join(''))),
    ...[...all].map(([name, contents]) => file(`lib/modules/${name}.ko`, contents)),
    ...(await programEntries(programs)),
  ])
  return keep(archive)
}

/** What several programs need goes in once. */
async function programEntries(names: readonly string[]): Promise<ArchiveEntry[]> {
  const files = new Map<string, Buffer>()
  for (const name of names) {
    for (const { path, contents } of await hostProgram(name)) files.set(path, contents)
  }
  return [...files].map(([path, contents]) => file(path, contents, 0o755))
}

/** Stores the archive under the hash of its contents, so that a changed part makes another file. */
async function keep(archive: Buffer): Promise<string> {
  const cache = join(cacheFolder(), 'initramfs')
  const path = join(
    cache,
    `${createHash('sha256').update(archive).digest('hex').slice(0, 32)}.cpio`,
  )
  if (await exists(path)) return path
  await mkdir(cache, { recursive: true })
  // Somebody else may be making the same file: it must never be seen half written.
  const temporary = `${path}.${randomUUID()}`
  await writeFile(temporary, archive)
  await rename(temporary, path)
  return path
}

async function readBusybox(): Promise<Buffer> {
  for (const directory of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(directory, 'busybox')
    if (!(await exists(path))) continue
    const contents = await readFile(path)
    if (isStatic(contents)) return contents
    throw new VirtualMachineError(
      'ERR_VM_MISSING',
      `${path} needs shared libraries, not busybox-static; ${HOW_TO_INSTALL}`,
    )
  }
  throw new VirtualMachineError(
    'ERR_VM_MISSING',
    `busybox-static is not installed; ${HOW_TO_INSTALL}`,
  )
}

/** Whether a 64-bit ELF program names no interpreter, and so runs where there is nothing but itself. */
function isStatic(program: Buffer): boolean {
  const PT_INTERP = 3
  const headers = Number(program.readBigUInt64LE(32))
  const size = program.readUInt16LE(54)
  const count = program.readUInt16LE(56)
  for (let i = 0; i < count; i++) {
    if (program.readUInt32LE(headers + i * size) === PT_INTERP) return false
  }
  return true
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
