/**
 * Rules given by hand, held against what their bridge has.
 *
 * @packageDocumentation
 */
import { ConfigError, type Problem } from 'dpdk-vhost'
import { checkRules } from 'dpdk-vhost/programs/flow-table/rule'
import { controllerTroubles, meterTroubles } from '../config/index.js'
import type { BridgeSpec } from '../spec.js'

/** Rules may be very many, and few have an action that needs something of the bridge. */
const MAY_NEED = /meter|controller/i

/**
 * Returns what is probably not meant, a line each.
 *
 * @throws ConfigError for meters that the bridge does not have, and for what is no rule
 */
export function checkByHand({ name, meters }: BridgeSpec, rules: readonly string[]): string[] {
  const ids = new Set(meters.map(({ id }) => id))
  const problems: Problem[] = []
  const warnings: string[] = []
  // Words of several wrong rules belong together: the rules that need nothing are checked with them.
  const specs = rules.some((rule) => MAY_NEED.test(rule)) ? checkRules(rules, 'flow table') : []
  for (const [i, spec] of specs.entries()) {
    const path = `rules[${i}]`
    const value = rules[i] as string
    for (const trouble of meterTroubles(spec, ids)) problems.push({ path, value, ...trouble })
    for (const { message, fix } of controllerTroubles(spec))
      warnings.push(`${path} = ${JSON.stringify(value)} ${message}; ${fix}`)
  }
  if (problems.length > 0) throw new ConfigError(`bridge "${name}"`, problems)
  return warnings
}
