import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/**
 * What ThreadSanitizer wrote into the files of a folder, as `{ text, count }`: each place once. Its own symbolizer knows
 * no module that was loaded after the start, so the places of `module`, the addon, are filled in.
 */
export function readReports(folder, module) {
  const found = new Map()
  for (const name of readdirSync(folder)) {
    for (const text of readFileSync(join(folder, name), 'utf8').split(/^={18}$/m)) {
      const summary = /^SUMMARY: .*$|^FATAL: .*$/m.exec(text)?.[0]
      if (summary === undefined) continue
      const known = found.get(summary) ?? { text, count: 0 }
      found.set(summary, { ...known, count: known.count + 1 })
    }
  }
  return [...found.values()].map(({ text, count }) => ({ text: withPlaces(text, module), count }))
}

function withPlaces(text, module) {
  const frame = new RegExp(`<null> <null> \\(${basename(module)}\\+(0x[0-9a-f]+)\\)`, 'g')
  const addresses = [...new Set(Array.from(text.matchAll(frame), ([, address]) => address))]
  if (addresses.length === 0) return text
  const places = execFileSync('addr2line', ['-Cfpse', module, ...addresses], { encoding: 'utf8' })
  const lines = places.trimEnd().split('\n')
  const placeOf = new Map(addresses.map((address, i) => [address, lines[i]]))
  return text.replace(frame, (_, address) => placeOf.get(address))
}
