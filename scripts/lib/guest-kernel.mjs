// The kernel that guests of the VM tests boot, unpacked from a distribution package into a cache.
// Its layout is a contract with src/testkit: kernel/boot/vmlinuz-* and kernel/lib/modules/*.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fail, step } from './step.mjs'

export const cacheFolder = () =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dpdk-vhost')

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
  const packages = kernelPackages(meta)
  mkdirSync(cacheFolder(), { recursive: true })
  const work = mkdtempSync(join(cacheFolder(), 'unpack-'))
  try {
    // As root apt would download as another user, who cannot write here.
    step(
      `downloading ${packages.join(' ')}`,
      'apt-get',
      ['-o', 'APT::Sandbox::User=root', 'download', ...packages],
      {
        cwd: work,
      },
    )
    for (const file of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
      step(`unpacking ${file}`, 'dpkg-deb', ['-x', file, 'kernel'], { cwd: work })
    }
    // With /usr merged, newer packages carry usr/lib/modules.
    if (
      !existsSync(join(work, 'kernel/lib/modules')) &&
      existsSync(join(work, 'kernel/usr/lib/modules'))
    ) {
      mkdirSync(join(work, 'kernel/lib'), { recursive: true })
      renameSync(join(work, 'kernel/usr/lib/modules'), join(work, 'kernel/lib/modules'))
    }
    rmSync(kernelFolder(), { recursive: true, force: true })
    renameSync(join(work, 'kernel'), kernelFolder())
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return kernelFolder()
}
