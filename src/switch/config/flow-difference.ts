import { isDeepStrictEqual } from 'node:util'
import type { FlowRule } from 'dpdk-vhost'
import { formatActions } from 'dpdk-vhost/programs/flow-table/format'
import { checkRule } from 'dpdk-vhost/programs/flow-table/rule'
import { ruleKey } from './flows.js'

type Rules = readonly (string | FlowRule)[]

/** What makes the rules of one configuration those of another. */
export interface FlowDifference {
  /** Selections in the words of `ovs-ofctl`, each of which is one rule if taken strictly. */
  readonly delete: readonly string[]
  /** Rules; one with the table, priority and match of a rule that is there takes its place. */
  readonly add: Rules
}

/**
 * Rules that differ in what they mean; how they are written does not count. The order of rules does not either: among
 * rules of one priority OpenFlow leaves open which decides.
 */
export function flowDifference(from: Rules, to: Rules): FlowDifference {
  if (isDeepStrictEqual(from, to)) return { delete: [], add: [] }
  const before = byKey(from)
  const after = byKey(to)
  return {
    delete: [...before.keys()].filter((key) => !after.has(key)),
    add: [...after]
      .filter(([key, { meaning }]) => before.get(key)?.meaning !== meaning)
      .map(([, { rule }]) => rule),
  }
}

function byKey(rules: Rules): Map<string, { rule: string | FlowRule; meaning: string }> {
  const all = new Map<string, { rule: string | FlowRule; meaning: string }>()
  for (const rule of rules) {
    const spec = checkRule(rule)
    const { cookie, idleTimeout, hardTimeout, actions } = spec
    const meaning = `${cookie} ${idleTimeout} ${hardTimeout} ${formatActions(actions)}`
    all.set(ruleKey(spec), { rule, meaning })
  }
  return all
}
