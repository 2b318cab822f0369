import { nearestFix } from './actions.js'
import { FIELD_NAMES, KEYWORDS } from './fields.js'
import type { FlowRule } from './rule.js'
import { splitKeyValues } from './split.js'
import { RuleError } from './values.js'

/** Numbers that are not part of the match, and how many values each has. */
const ATTRIBUTES: Readonly<Record<string, bigint>> = {
  table: 256n,
  priority: 65536n,
  idle_timeout: 65536n,
  hard_timeout: 65536n,
  cookie: 2n ** 64n,
}

/** What `dump-flows` prints of a flow that is no part of it. */
const IGNORED = ['duration', 'n_packets', 'n_bytes', 'idle_age', 'hard_age']

/** Table number that stands for no table in particular. */
const ANY_TABLE = 255

/**
 * A rule as `ovs-ofctl add-flow` takes it: `priority=10,in_port=vhost0,tcp,tp_dst=80,actions=output:vhost1`.
 *
 * What the values mean is not looked at here; the result is a rule like one written as an object.
 *
 * @throws {@link RuleError}
 */
export function parseFlow(text: string): FlowRule {
  const { head, actions } = cut(text)
  if (actions === undefined)
    throw new RuleError('has no actions', 'end it with actions=..., or actions=drop')
  return { ...parseHead(head), actions: [actions] }
}

/**
 * Which rules to modify or delete: the same without actions, as `ovs-ofctl del-flows` takes it.
 *
 * @throws {@link RuleError}
 */
export function parseSelection(text: string): Omit<FlowRule, 'actions'> {
  const { head, actions } = cut(text)
  if (actions !== undefined) throw new RuleError('has actions', 'only say which rules')
  return parseHead(head)
}

/** At the word "action", wherever it stands. */
function cut(text: string): { head: string; actions: string | undefined } {
  const at = text.indexOf('action')
  if (at < 0) return { head: text, actions: undefined }
  const [, actions] = /^actions?=(.*)$/s.exec(text.slice(at)) ?? []
  if (actions === undefined)
    throw new RuleError('has "action" without "="', 'end it with actions=..., or actions=drop')
  return { head: text.slice(0, at), actions }
}

function parseHead(head: string): Omit<FlowRule, 'actions'> {
  const match: Record<string, string | true> = {}
  const attributes: Record<string, number | bigint> = {}
  for (const [key, value] of splitKeyValues(head)) {
    if (Object.hasOwn(KEYWORDS, key) && value === undefined) again(match, key, true)
    else if (value === undefined && key !== '') throw withoutValue(key)
    else if (Object.hasOwn(ATTRIBUTES, key)) {
      const number = readAttribute(key, value as string)
      if (key === 'cookie') attributes.cookie = number
      else if (key !== 'table' || number !== BigInt(ANY_TABLE)) attributes[key] = Number(number)
    } else if (FIELD_NAMES.includes(key)) {
      if (value !== '*') again(match, key, value as string)
    } else if (!IGNORED.includes(key)) {
      throw new RuleError(`has ${key}, which is no field here`, unknownFix(key))
    }
  }
  return { ...attributes, match }
}

/** Of what is said twice the last holds, also against what was said in between. */
function again(match: Record<string, string | true>, key: string, value: string | true): void {
  delete match[key]
  match[key] = value
}

function readAttribute(key: string, text: string): bigint {
  const values = ATTRIBUTES[key] as bigint
  const digits = key === 'table' ? /^\d+$/ : /^(0x[0-9a-f]+|\d+)$/i
  if (digits.test(text) && BigInt(text) < values) return BigInt(text)
  throw new RuleError(`has ${key}=${text}`, `give a number from 0 to ${values - 1n}`)
}

function withoutValue(key: string): RuleError {
  if (FIELD_NAMES.includes(key) || Object.hasOwn(ATTRIBUTES, key))
    return new RuleError(`has ${key} without a value`, `write ${key}=...`)
  return new RuleError(`has ${key}, which is no field here`, unknownFix(key))
}

function unknownFix(key: string): string {
  return nearestFix(key, [...FIELD_NAMES, ...Object.keys(KEYWORDS), ...Object.keys(ATTRIBUTES)])
}
