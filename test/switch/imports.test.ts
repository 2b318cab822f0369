import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const SWITCH = join(ROOT, 'src/switch')
/** What a user of the package can import of it. */
const PUBLIC =
  /^dpdk-vhost(\/capture(\/recorder)?|\/doctor|\/headers|\/metrics|\/qos|\/vif|\/programs\/[\w/-]+)?$/

interface Import {
  readonly file: string
  readonly what: string
}

test('the switch is built on what every user of the package has', () => {
  const files = readdirSync(SWITCH, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const imports = files.flatMap((file) => importsOf(join(SWITCH, file)))
  assert.ok(imports.some(({ what }) => what === 'dpdk-vhost'))
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const wrong = imports.filter(({ file, what }) => {
    if (what.startsWith('.')) return relative(SWITCH, resolve(dirname(file), what)).startsWith('..')
    return !what.startsWith('node:') && !PUBLIC.test(what) && !Object.hasOwn(dependencies, what)
  })
  assert.deepEqual(wrong, [])
})

function importsOf(file: string): Import[] {
  const source = readFileSync(file, 'utf8')
  const found = source.matchAll(/\b(?:from|import|import\() ?'([^']+)'/g)
  return [...found].map(([, what]) => ({ file, what: what as string }))
}
