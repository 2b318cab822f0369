/**
 * What a rule does with a frame: the actions of `ovs-ofctl` (ovs-actions(7)), read from text or from objects.
 *
 * @packageDocumentation
 */
import { nameField } from '../../config/fields.js'
import { nearest } from '../../config/nearest.js'
import { FIELD_NAMES, type Field, fieldOf } from './fields.js'
import type { Match, Term } from './match.js'
import { splitKeyValues } from './split.js'
import { type FieldValue, type Masked, RuleError, readValue, toTerms } from './values.js'

/** A port by its name or by its id. */
export type PortReference = string | number

/** An action as a user writes it: text as in `ovs-ofctl`, or an object with one of these. */
export type FlowAction =
  | string
  | { readonly output: PortReference }
  | { readonly set_field: Readonly<Record<string, FieldValue>> }
  | { readonly controller: { readonly max_len?: number | undefined } }
  | { readonly push_vlan: number }
  | { readonly meter: number }
  | { readonly goto_table: number }

/** An action, checked. */
export type Action =
  | { readonly type: 'output'; readonly port: PortReference }
  | { readonly type: 'in_port' | 'flood' | 'normal' | 'pop_vlan' | 'dec_ttl' }
  | { readonly type: 'controller'; readonly maxLength: number }
  /** Where the frame has the field; `sure` when the match has to make that certain. */
  | {
      readonly type: 'set'
      readonly field: Field
      readonly terms: readonly Term[]
      readonly sure: boolean
    }
  /** Of `mod_vlan_vid` and `mod_vlan_pcp`, which push a tag where there is none. */
  | { readonly type: 'set_vlan'; readonly value: number; readonly mask: number }
  | { readonly type: 'push_vlan'; readonly tpid: number }
  | { readonly type: 'meter'; readonly id: number }
  | { readonly type: 'goto_table'; readonly table: number }

/** Highest id of a port in a rule: the last one of OpenFlow 1.0 that is not reserved. */
export const MAX_PORT = 0xfeff

/** Last table; 255 stands for all of them. */
export const MAX_TABLE = 254

const PLAIN: Readonly<
  Record<string, Action['type'] & ('in_port' | 'flood' | 'normal' | 'pop_vlan' | 'dec_ttl')>
> = {
  in_port: 'in_port',
  flood: 'flood',
  // The difference is ports that spanning tree blocks, which there are none of.
  all: 'flood',
  normal: 'normal',
  pop_vlan: 'pop_vlan',
  strip_vlan: 'pop_vlan',
  dec_ttl: 'dec_ttl',
}

/** Fields that OpenFlow 1.0 has actions for, which leave alone a frame without the field. */
const MODS: Readonly<Record<string, string>> = {
  mod_dl_src: 'dl_src',
  mod_dl_dst: 'dl_dst',
  mod_nw_src: 'nw_src',
  mod_nw_dst: 'nw_dst',
  mod_nw_tos: 'nw_tos',
  mod_nw_ecn: 'nw_ecn',
  mod_nw_ttl: 'nw_ttl',
  mod_tp_src: 'tcp_src',
  mod_tp_dst: 'tcp_dst',
}

const WITH_ARGUMENT: Readonly<Record<string, (argument: string) => Action[]>> = {
  output: (port) => [{ type: 'output', port: readPort(port) }],
  set_field: (argument) => [readSetField(argument)],
  load: (argument) => [readLoad(argument)],
  mod_vlan_vid: (text) => [vlanPart('mod_vlan_vid', text, 0xfff, 0)],
  mod_vlan_pcp: (text) => [vlanPart('mod_vlan_pcp', text, 7, 13)],
  push_vlan: (text) => [pushVlan(number('push_vlan', text))],
  meter: (text) => [meter(number('meter', text))],
  goto_table: (text) => [gotoTable(number('goto_table', text))],
}

const NAMES = [
  ...['drop', 'controller'],
  ...Object.keys(PLAIN),
  ...Object.keys(MODS),
  ...Object.keys(WITH_ARGUMENT),
]

/** Ports that OpenFlow reserves and a datapath here does not have. */
const FOREIGN_PORTS = ['local', 'table', 'none', 'any', 'unset']

/**
 * The actions in a text as `ovs-ofctl` has it after `actions=`.
 *
 * @throws {@link RuleError}
 */
export function readActions(text: string): Action[] {
  const actions = splitKeyValues(text).map(([name, argument]) => readAction(name, argument))
  if (actions.includes(DROP) && actions.some((of) => of !== DROP))
    throw new RuleError('drops a frame and does something else with it', 'let drop stand alone')
  return actions.flat()
}

/** One that was written as an object. */
export function readActionObject(action: Exclude<FlowAction, string>): Action[] {
  if ('output' in action) return [{ type: 'output', port: readPort(action.output) }]
  if ('controller' in action) return [controller(action.controller.max_len ?? 0xffff)]
  if ('push_vlan' in action) return [pushVlan(action.push_vlan)]
  if ('meter' in action) return [meter(action.meter)]
  if ('goto_table' in action) return [gotoTable(action.goto_table)]
  return Object.entries(action.set_field).map(([name, value]) => setField(name, value))
}

const DROP: Action[] = []

function readAction(given: string, argument: string | undefined): Action[] {
  const name = given.toLowerCase()
  if (name === 'drop') return DROP
  const plain = Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined
  if (plain !== undefined && (argument === undefined || argument === '')) return [{ type: plain }]
  if (name === 'controller') return [readController(argument ?? '')]
  if (Object.hasOwn(MODS, name)) return [modify(name, MODS[name] as string, argument ?? '')]
  const read = Object.hasOwn(WITH_ARGUMENT, name) ? WITH_ARGUMENT[name] : undefined
  if (read !== undefined) {
    if (argument !== undefined) return read(argument)
    throw new RuleError(`has ${name} without an argument`, `write ${name}:...`)
  }
  if (argument === undefined && isPort(given)) return [{ type: 'output', port: readPort(given) }]
  throw new RuleError(`has ${given}, which is no action here`, nearestFix(name, NAMES))
}

function isPort(text: string): boolean {
  // A mistyped action is not to become the name of a port that never comes: names of ports want output:NAME.
  return /^\d+$/.test(text)
}

/**
 * A port by name or number.
 *
 * @throws {@link RuleError}
 */
export function readPort(given: PortReference): PortReference {
  if (typeof given === 'string' && !/^(0x[0-9a-f]+|\d+)$/i.test(given)) {
    if (FOREIGN_PORTS.includes(given.toLowerCase()) || !nameField.safeParse(given).success)
      throw new RuleError(
        `has the port ${JSON.stringify(given)}`,
        'give the name or the id of a port',
      )
    return given
  }
  const id = Number(given)
  if (!Number.isInteger(id) || id < 0 || id > MAX_PORT)
    throw new RuleError(`has the port ${given}`, `give a name, or an id from 0 to ${MAX_PORT}`)
  return id
}

function readController(argument: string): Action {
  if (argument === '') return controller(0xffff)
  if (/^\d/.test(argument)) return controller(number('controller', argument))
  let maxLength = 0xffff
  for (const [key, value] of splitKeyValues(argument)) {
    if (key !== 'max_len' || value === undefined)
      throw new RuleError(`has controller with ${key}`, 'the only option is max_len=BYTES')
    maxLength = number('max_len', value)
  }
  return controller(maxLength)
}

function controller(maxLength: number): Action {
  return { type: 'controller', maxLength: between('controller', maxLength, 0, 0xffff) }
}

function pushVlan(tpid: number): Action {
  if (tpid !== 0x8100 && tpid !== 0x88a8)
    throw new RuleError(`pushes a VLAN tag of type ${tpid}`, 'give 0x8100 or 0x88a8')
  return { type: 'push_vlan', tpid }
}

function meter(id: number): Action {
  return { type: 'meter', id: between('meter', id, 1, 0xffff) }
}

function gotoTable(table: number): Action {
  return { type: 'goto_table', table: between('goto_table', table, 0, MAX_TABLE) }
}

function vlanPart(name: string, text: string, most: number, shift: number): Action {
  const value = between(name, number(name, text), 0, most)
  return { type: 'set_vlan', value: value << shift, mask: most << shift }
}

function modify(name: string, fieldName: string, text: string): Action {
  const field = fieldOf(fieldName) as Field
  if (text.includes('/')) throw new RuleError(`has ${name} with a mask`, 'use set_field')
  const masked = naming(name, () => readValue(field, text))
  if (name === 'mod_nw_tos' && (masked.value & 3n) !== 0n)
    throw new RuleError(`has mod_nw_tos:${text}`, 'give a multiple of 4: the rest is ECN')
  return { ...set(field, masked), sure: false }
}

function readSetField(argument: string): Action {
  const [value = '', name, ...rest] = argument.split('->')
  if (name === undefined || rest.length > 0)
    throw new RuleError(`has set_field:${argument}`, 'write set_field:VALUE->FIELD')
  return setField(name, value)
}

function setField(name: string, given: FieldValue): Action {
  const field = settableField(name)
  const masked = naming(`set_field of ${name}`, () => readValue(field, given))
  if (name === 'nw_tos' && (masked.value & 3n) !== 0n)
    throw new RuleError(`sets nw_tos to ${given}`, 'give a multiple of 4: the rest is nw_ecn')
  return set(field, masked)
}

/** `load:VALUE->FIELD[FIRST..LAST]`. */
function readLoad(argument: string): Action {
  const parts = /^(0x[0-9a-f]+|\d+)->(\w+)(?:\[(?:(\d+)(?:\.\.(\d+))?)?\])?$/i.exec(argument)
  if (parts === null)
    throw new RuleError(`has load:${argument}`, 'write load:NUMBER->FIELD[FIRST..LAST]')
  const [, text = '', name = '', first, last] = parts
  const field = settableField(name.replace(/^NXM_NX_REG/, 'reg'))
  const from = Number(first ?? 0)
  const to = Number(last ?? first ?? field.bits - 1)
  if (from > to || to >= field.bits)
    throw new RuleError(`has load:${argument}`, `${field.name} has the bits 0 to ${field.bits - 1}`)
  const width = BigInt(to - from + 1)
  const value = BigInt(text)
  if (value >> width !== 0n)
    throw new RuleError(`has load:${argument}`, `the value does not fit ${width} bits`)
  const mask = ((1n << width) - 1n) << BigInt(from)
  return set(field, { value: value << BigInt(from), mask })
}

function settableField(name: string): Field {
  const field = fieldOf(name)
  if (field === undefined)
    throw new RuleError(`sets ${name}, which is no field`, nearestFix(name, FIELD_NAMES))
  if (!field.settable)
    throw new RuleError(`sets ${name}`, 'that field can be matched and not be set')
  return field
}

function set(field: Field, masked: Masked): Action & { type: 'set' } {
  // OFPVID_PRESENT says that there is a tag, and is no part of it.
  const bits = field.name === 'vlan_vid' ? 0xfff : field.name === 'vlan_pcp' ? 0xe000 : -1
  const terms = toTerms(field, masked).map(({ slot, value, mask }) => ({
    slot,
    value: value & bits,
    mask: mask & bits,
  }))
  return { type: 'set', field, terms, sure: true }
}

/**
 * What is wrong with the order of the actions, or with setting what the frames that match need not have.
 *
 * @throws {@link RuleError}
 */
export function checkActions(actions: readonly Action[], match: Match, table: number): void {
  let tagged = ((match.term(TCI)?.value ?? 0) & 0x1000) !== 0
  actions.forEach((action, i) => {
    if (action.type === 'meter' && i !== 0)
      throw new RuleError(`has meter:${action.id} after other actions`, 'begin with the meter')
    if (action.type === 'goto_table') {
      if (i !== actions.length - 1)
        throw new RuleError(`goes on after goto_table:${action.table}`, 'end with goto_table')
      if (action.table <= table)
        throw new RuleError(
          `of table ${table} goes to table ${action.table}`,
          'go to a table with a higher number',
        )
    }
    if (action.type === 'push_vlan' || action.type === 'set_vlan') tagged = true
    if (action.type === 'pop_vlan') tagged = false
    if (action.type === 'set' && action.sure) checkSet(action.field, match, tagged)
  })
}

const TCI = (fieldOf('vlan_tci') as Field).slots[0] as number

function checkSet(field: Field, match: Match, tagged: boolean): void {
  if (field.slots[0] === TCI) {
    if (!tagged)
      throw new RuleError(
        `sets ${field.name} of frames that need not have a tag`,
        'match on dl_vlan, push a tag before, or use mod_vlan_vid',
      )
  } else if (field.protocol !== undefined && !match.isOf(field.protocol)) {
    throw new RuleError(
      `sets ${field.name} of frames that need not be ${field.protocol}`,
      `match on ${field.protocol} as well`,
    )
  }
}

function between(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new RuleError(`has ${name}:${value}`, `give a number from ${least} to ${most}`)
}

function number(name: string, text: string): number {
  if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) return Number(text)
  throw new RuleError(`has ${name}:${text}`, 'give a number')
}

/** Says which action a value is of. */
function naming<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof RuleError)
      throw new RuleError(`has a ${name} that ${error.message}`, error.fix)
    throw error
  }
}

/** What to write instead of a word that is not known. */
export function nearestFix(word: string, known: readonly string[]): string {
  const found = nearest(word, known)
  if (found !== undefined) return `did you mean ${found}?`
  return known.length > 30
    ? 'the fields are those of ovs-fields(7)'
    : `there are ${known.join(', ')}`
}
