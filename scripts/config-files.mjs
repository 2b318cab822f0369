// Writes what is made of definitions in src: vswitch.schema.json, for editors, and the generated parts of
// docs/configuration.md and docs/metrics.md. With --check it only says whether they are current.

import { readFileSync, writeFileSync } from 'node:fs'
import { DATAPATH_METRICS } from '../dist/src/metrics/index.js'
import { configJsonSchema } from '../dist/src/switch/config/file-schema.js'
import { SWITCH_METRICS } from '../dist/src/switch/live/metrics.js'
import { inRoot } from './lib/project.mjs'
import { fail } from './lib/step.mjs'

const schema = configJsonSchema()
const read = (name) => readFileSync(inRoot(name), 'utf8')
const docs = read('docs/configuration.md')
const example = read('examples/vswitch/complete.yaml')
const files = {
  'vswitch.schema.json': `${JSON.stringify(schema, undefined, 1)}\n`,
  'docs/configuration.md': [
    ['example', `\`\`\`yaml\n${example.replace(/^# yaml-language-server.*\n/, '')}\`\`\``],
    ['reference', reference(schema)],
  ].reduce((text, [mark, content]) => between(text, mark, content), docs),
  'docs/metrics.md': [
    ['datapath', metricsTable(DATAPATH_METRICS)],
    ['switch', metricsTable(SWITCH_METRICS)],
  ].reduce((text, [mark, content]) => between(text, mark, content), read('docs/metrics.md')),
}

for (const [name, content] of Object.entries(files)) {
  if (!process.argv.includes('--check')) writeFileSync(inRoot(name), content)
  else if (read(name) !== content) fail(`${name} is not current: npm run config-files`)
}

function between(text, mark, content) {
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- end of ${mark} -->`]
  const [before, rest] = split(text, begin)
  return `${before}${begin}\n${content}\n${end}${split(rest, end)[1]}`
}

function split(text, mark) {
  const at = text.indexOf(mark)
  if (at < 0) fail(`no ${mark} in the file that is to have it`)
  return [text.slice(0, at), text.slice(at + mark.length)]
}

function metricsTable(definitions) {
  const rows = definitions.map(({ name, type, labels, help }) => {
    const cells = [code(name), type, labels.map(code).join(', '), help]
    return `| ${cells.join(' | ')} |`
  })
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

/** A table for each key of the top level. */
function reference({ properties }) {
  const sections = Object.entries(properties)
    .filter(([, section]) => section.type !== 'string')
    .map(([key, section]) => {
      const rows = rowsOf(section, '')
      const table = [
        '| key | values | default | meaning |',
        '|---|---|---|---|',
        ...rows.map(rowText),
      ]
      const many = section.type === 'array' ? ' (a list)' : ''
      return [`### ${key}${many}`, section.description, '', ...table].join('\n')
    })
  return sections.join('\n\n')
}

function rowsOf(schema, path) {
  const inner = schema.type === 'array' ? schema.items : schema
  const objects = (inner.oneOf ?? inner.anyOf ?? [inner]).filter((one) => one.properties)
  const rows = new Map()
  for (const object of objects) {
    const kind = object.properties.type?.const
    for (const [key, field] of Object.entries(object.properties)) {
      const row = rows.get(key) ?? { path: path + key, field, kinds: [], required: false }
      if (kind) row.kinds.push(kind)
      row.required ||= (object.required ?? []).includes(key)
      rows.set(key, row)
    }
  }
  // A type of port is one of all.
  const types = rows.get('type')
  if (types) types.field = { ...types.field, const: undefined, enum: types.kinds }
  return [...rows.values()].flatMap((row) => {
    const kinds = row.kinds.length < objects.length ? row.kinds : []
    // The flow table has pages of its own.
    if (row.path === 'flows') return [{ ...row, kinds }]
    const deeper = rowsOf(row.field, `${row.path}${isList(row.field) ? '[].' : '.'}`)
    return [{ ...row, kinds }, ...deeper]
  })
}

function isList(schema) {
  return schema.type === 'array'
}

function rowText({ path, field, kinds, required }) {
  const given = field.default === undefined ? '' : code(field.default)
  const only = kinds.length === 0 ? '' : `(${kinds.map((kind) => `\`${kind}\``).join(', ')}) `
  const cells = [`\`${path}\``, valuesOf(field), required ? 'required' : given]
  return `| ${[...cells, only + (field.description ?? '')].join(' | ')} |`
}

function code(value) {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

function valuesOf(schema) {
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return [...new Set(choices.map(valuesOf))].join(' or ')
  if (schema.enum?.length > 12) return `names such as \`${schema.enum[0]}\``
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${one}\``).join(', ')
  if (schema.const !== undefined) return `\`${schema.const}\``
  switch (schema.type) {
    case 'integer':
    case 'number':
      return rangeOf(schema)
    case 'array':
      return `list of ${valuesOf(schema.items)}`
    case 'string':
      return 'text'
    case 'boolean':
      return '`true`, `false`'
    case 'object':
      return 'object'
    default:
      return 'anything'
  }
}

function rangeOf({ minimum, maximum }) {
  if (minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER) return 'number'
  if (maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER) return `from ${minimum}`
  return `${minimum} to ${maximum}`
}
