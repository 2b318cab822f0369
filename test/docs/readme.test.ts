/** What README shows is what there is. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { buildTcp } from '../../src/headers/build.js'
import { checkConfig } from '../../src/switch/config/index.js'
import { TestHost } from '../../src/testkit/index.js'
import { Child } from '../support/child.js'
import { socketFolder } from '../support/loopback.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8')

test("README's first switch is the example", () => {
  const [, code] = /```ts\n([\s\S]*?)```/.exec(read('README.md')) ?? []
  assert.equal(code, read('examples/first-switch/first-switch.ts'))
})

test("README's configuration of vswitch is good", async () => {
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(read('README.md')) ?? []
  const { spec, problems, warnings } = await checkConfig(yaml, { file: 'README.md' })
  assert.deepEqual([problems, warnings], [[], []])
  assert.equal(spec?.ports.length, 3)
})

test('every command in README is one of package.json, every link leads somewhere', () => {
  const readme = read('README.md')
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  for (const [, name = ''] of readme.matchAll(/npm run ([\w:]+)/g)) assert.ok(scripts[name], name)
  for (const [, path = ''] of readme.matchAll(/\]\((?!http)([^)#]+)\)/g)) {
    assert.ok(existsSync(`${root}${path}`), path)
  }
})

test('the first switch switches, and lets nobody telnet', { timeout: 120_000 }, async () => {
  using folder = socketFolder()
  const paths = ['a', 'b'].map((name) => `${folder.path}/${name}`) as [string, string]
  await using a = await TestHost.start({ path: paths[0], ip: '10.0.0.1' })
  await using b = await TestHost.start({ path: paths[1], ip: '10.0.0.2' })
  const example = new URL('../../examples/first-switch/first-switch.js', import.meta.url)
  await using vswitch = new Child(example, paths)
  await a.linkUp()
  await b.linkUp()
  const { sent, received } = await a.ping('10.0.0.2', { count: 3, intervalMs: 20 })
  assert.equal(received, sent)

  await using capture = await b.capture()
  for (const port of [23, 22]) await a.sendFrame(segmentTo(port))
  // What was sent first would have come first.
  const frames = await capture.take(1, { timeoutMs: 10_000 })
  const ports = frames.map(({ buffer, byteOffset }) =>
    new DataView(buffer, byteOffset).getUint16(36),
  )
  assert.deepEqual(ports, [22], 'telnet went nowhere')

  vswitch.process.kill('SIGINT')
  const { code, stdout } = await vswitch.ended
  assert.equal(code, 0)
  assert.match(stdout, /vhost0 ready/)

  function segmentTo(destinationPort: number): Uint8Array {
    return buildTcp({
      source: a.mac,
      destination: b.mac,
      sourceIp: '10.0.0.1',
      destinationIp: '10.0.0.2',
      sourcePort: 40_000,
      destinationPort,
    })
  }
})
