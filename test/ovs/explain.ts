import { isDeepStrictEqual } from 'node:util'
import type { Sent } from './guests.js'
import type { Pair } from './pair.js'

/** The smallest case that can be found of a difference, for people. */
export async function explain(
  pair: Pair,
  rules: readonly string[],
  frames: readonly Sent[],
): Promise<string> {
  const differs = async (some: readonly string[], sent: readonly Sent[]) => {
    await pair.setRules(some)
    const { ovs, own } = await pair.exchange(sent)
    return !isDeepStrictEqual(ovs, own)
  }
  if (!(await differs(rules, frames))) {
    return `only after the rules before: not again with the same rules\n${rules.join('\n')}`
  }
  let fewer = frames
  for (const frame of frames) {
    if (await differs(rules, [frame])) {
      fewer = [frame]
      break
    }
  }
  const left = await smallest(rules, (some) => differs(some, fewer))
  await pair.setRules(left)
  const { ovs, own } = await pair.exchange(fewer)
  const lines = [...left]
  for (const { port, bytes } of fewer) {
    lines.push(`port ${port} ${Buffer.from(bytes).toString('hex')}`)
  }
  ovs.forEach((theirs, port) => {
    const ours = own[port] as string[]
    if (isDeepStrictEqual(theirs, ours)) return
    lines.push(`to port ${port} OVS sent ${theirs.join(' ') || 'nothing'}`)
    lines.push(`to port ${port} we sent  ${ours.join(' ') || 'nothing'}`)
  })
  const [first] = fewer
  if (first !== undefined) lines.push(await pair.ovs.trace(first.port, first.bytes))
  return lines.join('\n')
}

/** Leaves out what can be left out, many at a time at first. */
export async function smallest<T>(
  things: readonly T[],
  holds: (some: readonly T[]) => Promise<boolean>,
): Promise<T[]> {
  let left = [...things]
  for (
    let size = Math.ceil(left.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let at = 0; at < left.length; ) {
      const without = [...left.slice(0, at), ...left.slice(at + size)]
      if (without.length < left.length && (await holds(without))) left = without
      else at += size
    }
  }
  return left
}
