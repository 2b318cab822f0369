/**
 * Rules of a bridge, from the configuration or a file of their own, held against the flow table's checker.
 *
 * @packageDocumentation
 */
import { ConfigError, type FlowRule, type Problem } from 'dpdk-vhost'
import { formatMatch } from 'dpdk-vhost/programs/flow-table/format'
import { checkRule, type FlowSpec } from 'dpdk-vhost/programs/flow-table/rule'
import { readText } from './files.js'
import { joined } from './part.js'
import type { ConfigProblem, Place } from './problem.js'

/** A rule and where it stands. */
export interface GivenRule {
  readonly rule: unknown
  readonly path: string
  /** Where a part of it stands, by the path in it; all of it by the empty path. */
  readonly placeOf: (inner: string) => Place
}

/** What rules have to fit in with. */
export interface FlowSurroundings {
  readonly ports: ReadonlySet<string>
  readonly meters: ReadonlySet<number>
}

/** The rules of a text as `ovs-ofctl add-flows` takes it: one a line, `#` begins a comment. */
export function rulesOfText(content: string, file: string): GivenRule[] {
  return content.split('\n').flatMap((line, i) => {
    const rule = line.replace(/#.*/, '').trim()
    const column = line.search(/\S/) + 1
    const place = { file, line: i + 1, column }
    return rule === '' ? [] : [{ rule, path: '', placeOf: () => place }]
  })
}

/** The rules of a file; what keeps it from being read is a problem of the key that names it. */
export function rulesOfFile(
  file: string,
  shown: string,
): { rules: GivenRule[]; trouble: { message: string; fix: string } | undefined } {
  const read = readText(file)
  if ('trouble' in read) return { rules: [], trouble: read.trouble }
  return { rules: rulesOfText(read.text, shown), trouble: undefined }
}

/** What became of the rules: of those with the same match, table and priority the last. */
export interface CheckedRules {
  readonly rules: (string | FlowRule)[]
  readonly problems: ConfigProblem[]
  readonly warnings: ConfigProblem[]
}

export function checkFlows(
  given: readonly GivenRule[],
  { ports, meters }: FlowSurroundings,
): CheckedRules {
  const problems: ConfigProblem[] = []
  const warnings: ConfigProblem[] = []
  const byKey = new Map<string, GivenRule>()
  for (const one of given) {
    const { rule, path, placeOf } = one
    const at = (problem: Problem): ConfigProblem => ({
      ...problem,
      ...placeOf(problem.path),
      path: joined(path, problem.path),
    })
    const checked = checkOne(rule)
    if (Array.isArray(checked)) {
      problems.push(...checked.map(at))
      continue
    }
    for (const trouble of meterTroubles(checked, meters))
      problems.push(at({ path: '', value: rule, ...trouble }))
    for (const trouble of controllerTroubles(checked))
      warnings.push(at({ path: '', value: rule, ...trouble }))
    for (const name of portsOf(checked)) {
      if (ports.has(name)) continue
      const message = `names port "${name}", which the bridge does not have`
      const fix = 'add the port, or correct the name; until there is one the rule waits for it'
      warnings.push(at({ path: '', value: rule, message, fix }))
    }
    const key = ruleKey(checked)
    const before = byKey.get(key)
    if (before !== undefined) {
      const message = `takes the place of the rule in line ${before.placeOf('').line}, whose match, table and priority it has`
      warnings.push(at({ path: '', value: rule, message, fix: 'remove one of them' }))
    }
    byKey.set(key, one)
  }
  return {
    rules: [...byKey.values()].map(({ rule }) => rule as string | FlowRule),
    problems,
    warnings,
  }
}

function checkOne(rule: unknown): FlowSpec | Problem[] {
  if (
    typeof rule !== 'string' &&
    (rule === null || typeof rule !== 'object' || Array.isArray(rule))
  ) {
    const fix = 'give a rule as ovs-ofctl has it, in quotes: "in_port=vhost0,actions=output:vhost1"'
    return [{ path: '', value: rule, message: 'is not a rule', fix }]
  }
  try {
    return checkRule(rule as string | FlowRule)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [...error.problems]
  }
}

/** What a table has one rule of: table, priority and match. It is a selection of `ovs-ofctl` that, taken strictly, is this rule. */
export function ruleKey({ table, priority, inPort, match }: FlowSpec): string {
  const fields = formatMatch({ inPort, match })
  return `table=${table ?? 0},priority=${priority}${fields === '' ? '' : `,${fields}`}`
}

/** Ports that a rule names. */
export function portsOf({ inPort, actions }: FlowSpec): string[] {
  const outputs = actions.flatMap((action) => (action.type === 'output' ? [action.port] : []))
  const all = inPort === undefined ? outputs : [inPort, ...outputs]
  return [...new Set(all.filter((port) => typeof port === 'string'))]
}

type Trouble = Pick<Problem, 'message' | 'fix'>

/** Meters that a rule names and its bridge does not have: all of its frames would be dropped. */
export function meterTroubles({ actions }: FlowSpec, meters: ReadonlySet<number>): Trouble[] {
  return actions.flatMap((action) => {
    if (action.type !== 'meter' || meters.has(action.id)) return []
    const fix = `add it to the bridge's meters: { id: ${action.id}, rate: ... }`
    return [{ message: `names meter ${action.id}, which there is none of`, fix }]
  })
}

/** A switch has no controller. */
export function controllerTroubles({ actions }: FlowSpec): Trouble[] {
  if (!actions.some(({ type }) => type === 'controller')) return []
  const message = 'has a copy for a controller, which there is none of: it goes nowhere'
  return [{ message, fix: 'remove the action; the others are done as they stand' }]
}
