// The kernel that guests of the VM tests boot, unpacked from a distribution package into a cache.
// Its layout is a contract with src/testkit: kernel/boot/vmlinuz-* and kernel/lib/modules/*.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { fail } from './step.mjs'
import { cacheFolder, unpackPackages } from './unpack.mjs'

const kernelFolder = () => join(cacheFolder(), 'kernel')

export function kernelIsUnpacked() {
  const boot = join(kernelFolder(), 'boot')
  return (
    existsSync(join(kernelFolder(), 'lib/modules')) &&
    existsSync(boot) &&
    readdirSync(boot).some((file) => file.startsWith('vmlinuz-'))
  )
}

/** Names of the packages that hold the kernel itself: the well-known one only depends on them. */
function kernelPackages(metaPackage) {
  const child = spawnSync('apt-cache', ['depends', '--important', metaPackage], {
    encoding: 'utf8',
  })
  const image = /Depends: (linux-image-\S+)/.exec(child.stdout ?? '')?.[1]
  if (!image)
    fail(
      `No kernel behind the package ${metaPackage}: is the package index fresh (apt-get update)?`,
    )
  // Ubuntu ships the modules apart from the image; Debian has no such package.
  const modules = image.replace('linux-image-', 'linux-modules-')
  const known = spawnSync('apt-cache', ['show', '--no-all-versions', modules])
  return known.status === 0 ? [image, modules] : [image]
}

/** Downloads and unpacks the kernel with apt; needs no root. */
export function unpackKernel(distribution) {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64'
  const meta = distribution === 'ubuntu' ? 'linux-image-virtual' : `linux-image-cloud-${arch}`
  unpackPackages(kernelPackages(meta), 'kernel', (folder) => {
    // With /usr merged, newer packages carry usr/lib/modules.
    if (!existsSync(join(folder, 'lib/modules')) && existsSync(join(folder, 'usr/lib/modules'))) {
      mkdirSync(join(folder, 'lib'), { recursive: true })
      renameSync(join(folder, 'usr/lib/modules'), join(folder, 'lib/modules'))
    }
  })
  return kernelFolder()
}
