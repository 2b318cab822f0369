/** The files in examples/vswitch, and what is made of the schema: JSON Schema and the reference. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { ProgramContext } from 'dpdk-vhost'
import { parse } from 'yaml'
import makeNoTelnet from '../../../examples/vswitch/no-telnet.js'
import { buildTcp } from '../../../src/headers/build.js'
import { configJsonSchema } from '../../../src/switch/config/file-schema.js'
import { checkConfig, checkConfigFile, reportLine } from '../../../src/switch/config/index.js'
import { TestLcore } from '../../programs/test-lcore.js'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const folder = `${root}examples/vswitch/`
const samples = readdirSync(folder).filter((name) => /\.(yaml|json)$/.test(name))
const schema = configJsonSchema()
const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema)

suite('samples', () => {
  for (const name of samples) {
    test(name, () => {
      const { problems, warnings } = checkConfigFile(folder + name)
      assert.deepEqual([...problems, ...warnings].map(reportLine), [])
      const text = readFileSync(folder + name, 'utf8')
      assert.ok(fits(parse(text)), JSON.stringify(fits.errors))
      assert.match(text, /\$schema[=": ]+\.\.\/\.\.\/vswitch\.schema\.json/)
    })
  }

  test('cover every key of the file but what few need', () => {
    assert.ok(samples.includes('complete.yaml'))
    const complete = parse(readFileSync(`${folder}complete.yaml`, 'utf8')) as object
    const top = Object.keys(schema.properties ?? {}).filter((key) => key !== '$schema')
    assert.deepEqual(Object.keys(complete).toSorted(), top.toSorted())
  })
})

test('the sample program lets frames through, but not to its port', () => {
  const data = { port: 23 }
  const program = makeNoTelnet({ data } as ProgramContext)
  const lcore = new TestLcore({ name: 'no-telnet', burst: program }, ['a', 'b', 'c'])
  const to = (destinationPort: number) =>
    buildTcp({
      destination: '02:00:00:00:00:02',
      source: '02:00:00:00:00:01',
      sourceIp: '10.0.0.1',
      destinationIp: '10.0.0.2',
      sourcePort: 5,
      destinationPort,
    })
  const { sent, dropped } = lcore.run(0, to(80), to(23))
  assert.deepEqual(sent, [
    [0, 1],
    [0, 2],
  ])
  assert.deepEqual(dropped, [1])
})

test('vswitch.schema.json and docs/configuration.md are current', () => {
  const args = [`${root}scripts/config-files.mjs`, '--check']
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
  assert.equal(child.status, 0, child.stdout + child.stderr)
})

test('every key has a description', () => {
  const bare: string[] = []
  const visit = (node: unknown, path: string) => {
    const { properties, items, anyOf, oneOf } = node as Record<string, object | undefined>
    for (const [key, inner] of Object.entries(properties ?? {})) {
      const { description, default: given } = inner as { description?: string; default?: unknown }
      const at = `${path}.${key}`
      if (description === undefined) bare.push(at)
      assert.notEqual(given, null, at)
      visit(inner, at)
    }
    if (items !== undefined) visit(items, path)
    for (const one of [...((anyOf ?? []) as object[]), ...((oneOf ?? []) as object[])])
      visit(one, path)
  }
  visit(schema, '')
  assert.deepEqual(bare, [])
})

suite('JSON Schema and the check agree', () => {
  const complete = JSON.stringify(parse(readFileSync(`${folder}complete.yaml`, 'utf8')))
  const checks = (value: unknown) =>
    checkConfig(JSON.stringify(value), { file: `${folder}x.json` }).problems.map(reportLine)

  test('about values of the wrong kind in any place', () => {
    const wrong = [null, true, 'some text!', -1.5, [[]], { what: 1 }]
    let refused = 0
    const misses: string[] = []
    for (const path of pathsOf(JSON.parse(complete))) {
      for (const value of wrong) {
        const changed = JSON.parse(complete) as unknown
        put(changed, path, value)
        const problems = checks(changed)
        const isFitting = fits(changed)
        if (!isFitting) refused++
        // What the check takes has to fit. The other way round only code knows all.
        if (problems.length === 0 && !isFitting)
          misses.push(
            `${path.join('.')} = ${JSON.stringify(value)}: ${JSON.stringify(fits.errors)}`,
          )
      }
    }
    assert.deepEqual(misses, [])
    assert.ok(refused > 500, `${refused}`)
  })

  const port = { name: 'a', type: 'dpdkvhostuserclient', path: '/tmp/vswitch-none/a' }
  const refused: [string, unknown][] = [
    ['an unknown key', { port: [] }],
    ['an unknown key of a port', { ports: [{ ...port, vlan: 1 }] }],
    ['a key of another type of port', { ports: [{ ...port, devargs: 'x' }] }],
    ['a type', { ports: [{ ...port, type: 'vhost' }] }],
    ['no name', { ports: [{ ...port, name: undefined }] }],
    ['a name', { ports: [{ ...port, name: 'a b' }] }],
    ['a relative path', { ports: [{ ...port, path: 'a' }] }],
    ['a long path', { ports: [{ ...port, path: `/${'a'.repeat(107)}` }] }],
    ['a VLAN', { ports: [{ ...port, tag: 4096 }] }],
    ['a VLAN as text', { ports: [{ ...port, tag: '10' }] }],
    ['a range', { ports: [{ ...port, trunks: ['10..20'] }] }],
    ['a mode of VLANs', { ports: [{ ...port, vlanMode: 'tagged' }] }],
    ['a policer without a burst', { ports: [{ ...port, egressPolicer: { cir: 1 } }] }],
    ['a MAC address', { ports: [{ ...port, portSecurity: [{ mac: '02:00:00:00:00' }] }] }],
    ['an MTU', { datapath: { mtu: 67 } }],
    ['no lcores', { lcores: [] }],
    ['data of an lcore', { lcores: [{ data: 1 }] }],
    ['no name of a bridge', { bridges: [{}] }],
    ['an interface', { bridges: [{ name: 'b', local: { iface: 'a'.repeat(16) } }] }],
    ['an address without its length', { bridges: [{ name: 'b', local: { addresses: ['::1'] } }] }],
    ['a rule', { bridges: [{ name: 'b', flows: [1] }] }],
    ['a rule without actions', { bridges: [{ name: 'b', flows: [{}] }] }],
    ['an action', { bridges: [{ name: 'b', flows: [{ actions: [{ out: 1 }] }] }] }],
    ['a meter', { bridges: [{ name: 'b', meters: [{ id: 0, rate: 1 }] }] }],
    ['a mirror', { bridges: [{ name: 'b', mirrors: [{ name: 'm', outputVlan: 0 }] }] }],
    ['a mode', { admin: { mode: '999' } }],
    ['a level', { logging: { level: 'warn' } }],
    ['an address to listen on', { metrics: { listen: '9475' } }],
  ]
  for (const [name, value] of refused) {
    test(`refusing ${name}`, () => {
      assert.equal(fits(JSON.parse(JSON.stringify(value))), false)
      assert.notDeepEqual(checks(value), [])
    })
  }

  const taken: [string, unknown][] = [
    ['nothing but ports', { ports: [] }],
    ['modes', { admin: { mode: '0o660' } }],
    ['local ports', { bridges: [{ name: 'b', local: false }] }],
    ['IPv6', { metrics: { listen: '[::1]:9475' } }],
    ['pinned lcores', { lcores: [{ ports: 'pinned' }] }],
    ['a rule', { bridges: [{ name: 'b', flows: [{ actions: [{ output: 1 }] }] }] }],
  ]
  for (const [name, value] of taken) {
    test(`taking ${name}`, () => {
      assert.ok(fits(value), JSON.stringify(fits.errors))
      assert.deepEqual(checks(value), [])
    })
  }
})

type Path = readonly (string | number)[]

/** Paths of all parts of a value. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (value === null || typeof value !== 'object') return [path]
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value)
  const inner = keys.flatMap((key) => pathsOf((value as never)[key], [...path, key]))
  return path.length === 0 ? inner : [path, ...inner]
}

function put(root: unknown, path: Path, value: unknown): void {
  let at = root as Record<string | number, unknown>
  for (const key of path.slice(0, -1)) at = at[key] as typeof at
  at[path.at(-1) as string | number] = value
}
