// Which Linux this is, as far as package names go.

import { readFileSync } from 'node:fs'

/** @returns {{ id: string, name: string, family: string | undefined }} */
export function distribution(osRelease = readOsRelease()) {
  const field = (key) => new RegExp(`^${key}=["']?([^"'\n]*)`, 'm').exec(osRelease)?.[1] ?? ''
  const id = field('ID')
  // ID_LIKE lists relatives, nearest first: Mint is like ubuntu, which is like debian.
  const family = [id, ...field('ID_LIKE').split(' ')].map((word) => families[word]).find(Boolean)
  return { id, name: field('PRETTY_NAME') || id || 'this system', family }
}

const families = {
  debian: 'debian',
  ubuntu: 'debian',
  fedora: 'fedora',
  rhel: 'fedora',
  centos: 'fedora',
  arch: 'arch',
  alpine: 'alpine',
  suse: 'suse',
  opensuse: 'suse',
}

function readOsRelease() {
  for (const file of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      // Try the next one.
    }
  }
  return ''
}
