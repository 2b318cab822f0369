import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../../src/native/root.js'

const FILE = join(packageRoot(), 'src/switch/service/vswitch.service')

/** What the section [Service] of our unit says: the words after each key. */
export function serviceOf(): Map<string, readonly string[]> {
  const lines = readFileSync(FILE, 'utf8').split('\n')
  const section = lines.slice(lines.indexOf('[Service]') + 1, lines.indexOf('[Install]'))
  return new Map(
    section
      .filter((line) => /^\w+=/.test(line))
      .map((line) => {
        const [key = '', value = ''] = line.split(/=(.*)/s)
        return [key, value.split(' ').filter((word) => word !== '')]
      }),
  )
}
