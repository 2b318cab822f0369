// Writes what is made of the results in docs/benchmarks: their pages, and the tables in README.md. Needs compiled
// TypeScript.

import { rmSync, writeFileSync } from 'node:fs'
import { inRoot, root } from './lib/project.mjs'

const { derivedFiles, orphans } = await import(inRoot('dist/bench/page/published.js'))

for (const [file, text] of await derivedFiles(root)) {
  writeFileSync(inRoot(file), text)
  console.log(file)
}
for (const file of orphans(root)) {
  rmSync(inRoot(file))
  console.log(`${file} removed: its results are gone`)
}
