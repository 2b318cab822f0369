/**
 * Rules given by hand, held against what their bridge has.
 *
 * @packageDocumentation
 */
import { ConfigError, type Problem } from 'dpdk-vhost'
import { checkRules } from 'dpdk-vhost/programs/flow-table/rule'
import { controllerTroubles, meterTroubles } from '../config/index.js'
import type { BridgeState } from './bridges.js'

/** Rules may be very many, and few have an action that needs something of the bridge. */
const MAY_NEED = /meter|controller/i

/**
 * Returns what is probably not meant, a line each.
 *
 * @throws ConfigError for meters that the bridge does not have, and for what is no rule
 */
export function checkByHand({ spec, flows }: BridgeState, rules: readonly string[]): string[] {
  const { name, meters } = spec
  const ids = new Set(meters.map(({ id }) => id))
  const problems: Problem[] = []
  const warnings: string[] = []
  // Words of several wrong rules belong together: the rules that need nothing are checked with them.
  // A bridge without rules is not to get its first ones by some that are refused.
  const wanted = flows === undefined || rules.some((rule) => MAY_NEED.test(rule))
  const checked = wanted ? checkRules(rules, 'flow table') : []
  for (const [i, rule] of checked.entries()) {
    const path = `rules[${i}]`
    const value = rules[i] as string
    for (const trouble of meterTroubles(rule, ids)) problems.push({ path, value, ...trouble })
    for (const { message, fix } of controllerTroubles(rule))
      warnings.push(`${path} = ${JSON.stringify(value)} ${message}; ${fix}`)
  }
  if (problems.length > 0) throw new ConfigError(`bridge "${name}"`, problems)
  return warnings
}
