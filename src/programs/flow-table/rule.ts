/**
 * Rules as users write them, and as the rest of the flow table knows them.
 *
 * @packageDocumentation
 */
import * as z from 'zod'
import { ConfigError, type Problem } from '../../config/config-error.js'
import { check } from '../../config/validate.js'
import {
  type Action,
  checkActions,
  type FlowAction,
  MAX_TABLE,
  nearestFix,
  type PortReference,
  readActionObject,
  readActions,
  readPort,
} from './actions.js'
import {
  FIELD_NAMES,
  type Field,
  fieldOf,
  KEYWORDS,
  protocolsOfSlot,
  SLOTS,
  slot,
} from './fields.js'
import { Match } from './match.js'
import { parseFlow, parseSelection } from './parse.js'
import { type FieldValue, RuleError, readValue, toTerms } from './values.js'

/** What a rule matches: fields by their names in `ovs-ofctl`, and protocols as `tcp: true`. */
export type FlowMatch = Readonly<Record<string, FieldValue | true>>

/** A rule. */
export interface FlowRule {
  /** Table it is in, 0 to 254. Frames begin in table 0. Default 0. */
  readonly table?: number | undefined
  /** Of the rules that match, the one with the highest decides; among equals the one that was added first. Default 32768. */
  readonly priority?: number | undefined
  /** A number of the user's, up to 64 bits. Default 0. */
  readonly cookie?: number | bigint | undefined
  /** Seconds without a frame after which the rule goes. Default 0: never. */
  readonly idle_timeout?: number | undefined
  /** Seconds after which the rule goes. Default 0: never. */
  readonly hard_timeout?: number | undefined
  /** Default: all frames. */
  readonly match?: FlowMatch | undefined
  /** In this order. None: drop. */
  readonly actions: readonly FlowAction[]
}

/** Which rules: those whose match is this one's or narrower. */
export type FlowSelection = Omit<FlowRule, 'actions' | 'idle_timeout' | 'hard_timeout'>

/** A rule, checked. */
export interface FlowSpec {
  /** Undefined where none was named, which in a selection means all. */
  readonly table: number | undefined
  readonly priority: number
  readonly cookie: bigint
  readonly idleTimeout: number
  readonly hardTimeout: number
  /** The port a frame has to come from, which is in `match` only as its id. */
  readonly inPort: PortReference | undefined
  readonly match: Match
  readonly actions: readonly Action[]
}

/** OpenFlow's priority of a rule that gives none. */
export const DEFAULT_PRIORITY = 32768

const IN_PORT = slot('in_port')
const NO_FIX = 'see src/programs/flow-table/README.md'

const value = z.union([z.string(), z.int(), z.bigint(), z.literal(true)]).describe('a value')

const attributes = {
  table: z.int().min(0).max(MAX_TABLE).optional(),
  priority: z.int().min(0).max(65535).default(DEFAULT_PRIORITY),
  cookie: z.union([z.int().min(0), z.bigint()]).default(0),
  idle_timeout: z.int().min(0).max(65535).default(0),
  hard_timeout: z.int().min(0).max(65535).default(0),
  match: z.record(z.string(), value).describe('an object of fields').default({}),
}

const action = z
  .union([
    z.string(),
    z
      .strictObject({
        output: z.union([z.string(), z.int()]).describe('the name of a port or its id').optional(),
        set_field: z.record(z.string(), z.union([z.string(), z.int(), z.bigint()])).optional(),
        controller: z.strictObject({ max_len: z.int().min(0).max(65535).optional() }).optional(),
        push_vlan: z.int().optional(),
        meter: z.int().optional(),
        goto_table: z.int().optional(),
      })
      .superRefine((given, ctx) => {
        if (Object.keys(given).length === 1) return
        const fix = 'give each action an object of its own'
        ctx.addIssue({ code: 'custom', message: 'is not one action', params: { fix } })
      }),
  ])
  .describe('an action, as text or as an object')

const ruleSchema = z.strictObject({ ...attributes, actions: z.array(action) })
const selectionSchema = z.strictObject(attributes)

/**
 * Rules, checked; text is read as `ovs-ofctl` reads it, objects more strictly.
 *
 * @param what - what they are for, as the message is to begin
 * @throws ConfigError naming every problem
 */
export function checkRules(rules: readonly (string | FlowRule)[], what: string): FlowSpec[] {
  const problems: Problem[] = []
  const specs = rules.map((rule, i) => checkOne(rule, `rules[${i}]`, true, problems))
  if (problems.length > 0) throw new ConfigError(what, problems)
  return specs as FlowSpec[]
}

/** One rule. */
export function checkRule(rule: string | FlowRule): FlowSpec {
  const problems: Problem[] = []
  const spec = checkOne(rule, '', true, problems)
  if (problems.length > 0) throw new ConfigError('flow rule', problems)
  return spec as FlowSpec
}

/** What says which rules to modify, delete or show. Its actions are none. */
export function checkSelection(selection: string | FlowSelection): FlowSpec {
  const problems: Problem[] = []
  const spec = checkOne(selection, '', false, problems)
  if (problems.length > 0) throw new ConfigError('flow selection', problems)
  return spec as FlowSpec
}

function checkOne(
  given: string | FlowRule | FlowSelection,
  path: string,
  hasActions: boolean,
  problems: Problem[],
): FlowSpec | undefined {
  const note = (where: string, of: unknown, error: unknown): undefined => {
    if (!(error instanceof RuleError)) throw error
    const at = [path, where].filter((part) => part !== '').join('.')
    problems.push({ path: at, value: of, message: error.message, fix: error.fix || NO_FIX })
  }
  let rule: unknown = given
  if (typeof given === 'string') {
    try {
      rule = hasActions ? parseFlow(given) : parseSelection(given)
    } catch (error) {
      return note('', given, error)
    }
  }
  const checked = check(hasActions ? ruleSchema : selectionSchema, rule, true)
  if (checked.spec === undefined) {
    for (const problem of checked.problems)
      problems.push({ ...problem, path: [path, problem.path].filter((p) => p !== '').join('.') })
    return undefined
  }
  const spec = checked.spec as z.output<typeof ruleSchema>
  const before = problems.length
  const match = new Match()
  let inPort: PortReference | undefined
  for (const [name, text] of Object.entries(spec.match)) {
    try {
      if (name === 'in_port') inPort = inPortOf(text, match)
      else addTo(match, name, text)
    } catch (error) {
      note(`match.${name}`, text, error)
    }
  }
  const actions: Action[] = []
  spec.actions?.forEach((one, i) => {
    try {
      actions.push(...(typeof one === 'string' ? readActions(one) : readActionObject(one as never)))
    } catch (error) {
      note(`actions[${i}]`, one, error)
    }
  })
  if (problems.length > before) return undefined
  try {
    // ovs-ofctl leaves out what means nothing; an object is held to what it says.
    if (typeof given === 'string') for (const index of match.baseless()) match.delete(index)
    else refuseBaseless(match)
    checkActions(actions, match, spec.table ?? 0)
  } catch (error) {
    return note('', typeof given === 'string' ? given : undefined, error)
  }
  return {
    table: spec.table,
    priority: spec.priority,
    cookie: BigInt.asUintN(64, BigInt(spec.cookie)),
    idleTimeout: spec.idle_timeout,
    hardTimeout: spec.hard_timeout,
    inPort,
    match,
    actions,
  }
}

function inPortOf(given: unknown, match: Match): PortReference {
  if (given === true || typeof given === 'bigint')
    throw new RuleError('is no port', 'give the name of a port or its id')
  const port = readPort(given as PortReference)
  if (typeof port === 'number') match.set(IN_PORT, port, -1)
  return port
}

function addTo(match: Match, name: string, given: FieldValue | true): void {
  if (given === true) {
    const terms = Object.hasOwn(KEYWORDS, name) ? KEYWORDS[name] : undefined
    if (terms === undefined)
      throw new RuleError('is not a protocol', nearestFix(name, Object.keys(KEYWORDS)))
    for (const [slotName, number] of Object.entries(terms)) match.set(slot(slotName), number, -1)
    return
  }
  const field = fieldOf(name)
  if (field === undefined)
    throw new RuleError(
      'is not a field',
      Object.hasOwn(KEYWORDS, name) ? 'give true' : nearestFix(name, FIELD_NAMES),
    )
  for (const term of toTerms(field, readValue(field, given))) {
    // A field that is a slot of its own fills it: nothing else can be asked of the slot.
    match.set(term.slot, term.value, isWhole(field, term.mask) ? -1 : term.mask)
  }
}

/** Whether a condition is on all that can be in the field's slots. */
function isWhole(field: Field, mask: number): boolean {
  if (field.slots.some((index) => SLOTS[index] === 'vlan_tci' || SLOTS[index] === 'nw_tos'))
    return false
  if (field.notation === 'frag') return false
  return mask === (field.bits >= 32 ? -1 : 2 ** field.bits - 1)
}

function refuseBaseless(match: Match): void {
  const [first] = match.baseless()
  if (first === undefined) return
  const protocols = protocolsOfSlot(first).join(', ')
  throw new RuleError(
    `matches on ${SLOTS[first]} without its protocol`,
    `match on one of ${protocols} as well`,
  )
}
