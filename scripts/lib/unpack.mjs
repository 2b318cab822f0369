// Distribution packages unpacked into a cache: their files are there, and the machine is as it was.

import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { step } from './step.mjs'

export const cacheFolder = () =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dpdk-vhost')

/**
 * Downloads packages with apt and unpacks them into the folder of that name in the cache, replacing it; needs no root.
 * `arrange` may move things about in it before it takes its place.
 */
export function unpackPackages(packages, name, arrange = () => {}) {
  mkdirSync(cacheFolder(), { recursive: true })
  const work = mkdtempSync(join(cacheFolder(), 'unpack-'))
  try {
    // As root apt would download as another user, who cannot write here.
    step(
      `downloading ${packages.join(' ')}`,
      'apt-get',
      ['-o', 'APT::Sandbox::User=root', 'download', ...packages],
      { cwd: work },
    )
    for (const file of readdirSync(work).filter((other) => other.endsWith('.deb'))) {
      step(`unpacking ${file}`, 'dpkg-deb', ['-x', file, name], { cwd: work })
    }
    arrange(join(work, name))
    rmSync(join(cacheFolder(), name), { recursive: true, force: true })
    renameSync(join(work, name), join(cacheFolder(), name))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
