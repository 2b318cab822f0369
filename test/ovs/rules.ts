import { type Kind, PORT_COUNT, randomRule } from '../flows/random-flows.js'
import type { Random } from '../headers/random.js'

/** Tables of the random rules, 0 to 3. */
const TABLES = 4

/** Actions for which flows are sent in the words of OpenFlow 1.3: see OvsSwitch. */
export const OXM_ONLY = /push_vlan|meter|set_field:[^>]*\//

const PRIORITY = /priority=(\d+)/
const SENDS = /output|flood|in_port$|in_port,(?!.*actions)|normal/

/**
 * A set of random rules with which much of what comes in is sent somewhere.
 *
 * - Each has a priority of its own: which of two that match is taken is not said by OpenFlow when these are equal.
 * - None is `normal`, whose switch remembers and knows VLANs.
 * - None says twice what the tag is to be: what OVS makes of that depends on the order.
 * - A frame gets one tag at most, by rules that do nothing else to tags. OVS forgets tags when it pushes a third, and
 *   `mod_vlan_vid` means another thing where `ovs-ofctl` has to put it into newer words because of a `push_vlan`.
 */
export function ruleSet(random: Random, kind: Kind, count: number): string[] {
  const rules: string[] = []
  while (rules.length < count) {
    const rule = randomRule(random, kind)
    if (!rule.includes('normal') && !isAmbiguous(rule)) rules.push(sending(random, tame(rule)))
  }
  for (let table = 0; table < TABLES; table++) {
    if (table === 0 || random.below(2) === 0)
      rules.push(`table=${table},priority=0,actions=${output(random)}`)
  }
  return rules.map((rule, i) =>
    rule
      .replace(PRIORITY, (_, priority) => `priority=${1000 * priority + rules.length - i}`)
      // What ovs-ofctl takes without, and the switch does not.
      .replaceAll(/set_field:(\d+)->vlan_vid/g, (_, id) => `set_field:${id | 0x1000}->vlan_vid`),
  )
}

function isAmbiguous(rule: string): boolean {
  const [match = ''] = rule.split(',actions=')
  const said = match.match(/dl_vlan=0xffff|dl_vlan=|vlan_vid|vlan_tci|dl_vlan_pcp/g) ?? []
  const usual = said.length === 2 && new Set([...said, 'dl_vlan=', 'dl_vlan_pcp']).size === 2
  return said.length > 1 && !usual
}

/** Leaves one `push_vlan`, which then ends the way through the tables, or none. */
function tame(rule: string): string {
  const [match = '', actions = ''] = rule.split('actions=')
  if (!OXM_ONLY.test(actions)) return rule
  let pushes = 0
  const list = actions.split(',').filter((action) => {
    if (action.startsWith('mod_vlan')) return false
    if (action.startsWith('push_vlan')) return pushes++ === 0
    return !(action.startsWith('goto_table') && pushes > 0)
  })
  return `${match}actions=${list.join(',')}`
}

/** Gives most rules that send nowhere an output. */
function sending(random: Random, rule: string): string {
  const [match = '', actions = ''] = rule.split('actions=')
  if (SENDS.test(actions) || random.below(4) === 0) return rule
  const list = actions.split(/,(?=goto_table)/).filter((part) => part !== '')
  const at = list.at(-1)?.startsWith('goto_table') ? list.length - 1 : list.length
  list.splice(at, 0, output(random))
  return `${match}actions=${list.join(',')}`
}

function output(random: Random): string {
  return random.pick([`output:${random.below(PORT_COUNT - 1)}`, 'flood', 'in_port'])
}
