import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Action } from '../../src/programs/flow-table/actions.js'
import { checkRule, type FlowSpec } from '../../src/programs/flow-table/rule.js'
import { ofctl, readable, withoutOfctl } from './ofctl.js'
import { REFUSED, TAKEN } from './texts.js'

/** What a rule says, in a form that compares. */
function meaning(spec: FlowSpec): unknown {
  const { table, priority, cookie, match, idleTimeout, hardTimeout, actions } = spec
  const attributes = { table: table ?? 0, priority, cookie, idleTimeout, hardTimeout }
  return { ...attributes, match: match.key, actions: actions.map(plain) }
}

/** An action by what it does, whichever of its names was written. */
function plain(action: Action): unknown {
  if (action.type === 'set') return { set: action.terms }
  if (action.type === 'set_vlan') return { set: [{ slot: 6, ...masked(action) }] }
  return action
}

function masked({ value, mask }: { value: number; mask: number }) {
  return { value, mask }
}

describe('the parser beside ovs-ofctl', { skip: withoutOfctl }, () => {
  for (const text of TAKEN) {
    test(`both take ${text}`, () => {
      const theirs = ofctl(text)
      assert.ok('printed' in theirs, JSON.stringify(theirs))
      const mine = checkRule(text)
      // What it prints in the words of OpenFlow 1.0, which has no masks in actions, says less than the flow.
      if (/set_field:[^>]*\//.test(text)) return
      // Of an IPv6 address it makes two loads.
      if (text.includes('->ipv6_dst')) return
      assert.deepEqual(meaning(checkRule(readable(theirs.printed))), meaning(mine), theirs.printed)
    })
  }
  for (const text of REFUSED) {
    test(`both refuse ${text}`, () => {
      const theirs = ofctl(text)
      assert.ok('refused' in theirs, JSON.stringify(theirs))
      assert.throws(() => checkRule(text), { name: 'ConfigError' })
    })
  }
})

describe('the parser by itself', () => {
  test('takes what ovs-ofctl takes', () => {
    for (const text of TAKEN) checkRule(text)
  })
  test('refuses what ovs-ofctl refuses', () => {
    for (const text of REFUSED) assert.throws(() => checkRule(text), { name: 'ConfigError' }, text)
  })
})
