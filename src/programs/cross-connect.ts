/**
 * Wires ports together in pairs: all that comes in on one goes out on the other, unseen.
 *
 * @packageDocumentation
 */
import { type Burst, DROP, MAX_PORTS } from '../burst/burst.js'
import { nearestFix, wrongType } from '../config/complaint.js'
import { ConfigError, type Problem } from '../config/config-error.js'
import { wrongName } from '../config/name.js'
import { byType } from './messages.js'
import type { PortDirectory, Program, ProgramContext } from './program.js'

/** Which ports are wired together. */
export interface CrossConnectOptions {
  /**
   * Pairs of port names; the ports need not exist yet. Default: port ids 0 and 1, 2 and 3, and so on, which are given
   * in the order in which ports are added.
   */
  pairs?: readonly (readonly [string, string])[] | undefined
}

type Pairs = readonly (readonly [string, string])[]

/** By hand: zod is most of what a Worker would load for it. */
function checkedPairs(given: unknown): Pairs | undefined {
  const problems = problemsOf(given)
  if (problems.length > 0) throw new ConfigError('cross-connect', problems)
  return (given as CrossConnectOptions).pairs
}

function problemsOf(given: unknown): Problem[] {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return [wrong('', given, wrongType(given), 'give an object')]
  const { pairs, ...others } = given as Record<string, unknown>
  const problems = Object.entries(others).map(([key, value]) =>
    wrong(key, value, 'is not an option', nearestFix(key, ['pairs']) ?? 'the options are pairs'),
  )
  if (pairs === undefined) return problems
  if (!Array.isArray(pairs)) {
    const fix = `give an array, each item ${PAIR}`
    return [wrong('pairs', pairs, wrongType(pairs), fix), ...problems]
  }
  const ofPairs = pairs.flatMap((pair, i) => problemsOfPair(pair, `pairs[${i}]`))
  return [...(ofPairs.length > 0 ? ofPairs : wiredTwice(pairs as Pairs)), ...problems]
}

const PAIR = 'two names of ports'

function problemsOfPair(pair: unknown, path: string): Problem[] {
  const fix = `give ${PAIR}`
  if (!Array.isArray(pair)) return [wrong(path, pair, wrongType(pair), fix)]
  if (pair.length === 0) return [wrong(path, pair, 'is empty', fix)]
  if (pair.length !== 2)
    return [wrong(path, pair, pair.length < 2 ? 'is too short' : 'is too long', fix)]
  return pair.flatMap((name: unknown, i) => {
    const place = `${path}[${i}]`
    if (typeof name !== 'string')
      return [wrong(place, name, name === undefined ? 'is missing' : wrongType(name), fix)]
    const refused = wrongName(name)
    return refused === undefined ? [] : [wrong(place, name, refused.message, refused.fix)]
  })
}

function wiredTwice(pairs: Pairs): Problem[] {
  const seen = new Set<string>()
  return pairs.flatMap((pair, i) =>
    pair.flatMap((name, j) => {
      const again = seen.has(name)
      seen.add(name)
      if (!again) return []
      return [wrong(`pairs[${i}][${j}]`, name, 'is wired already', 'wire each port to one other')]
    }),
  )
}

function wrong(path: string, value: unknown, message: string, fix: string): Problem {
  return { path, value, message, fix }
}

/** The program. */
export class CrossConnect implements Program {
  readonly name = 'cross-connect'
  readonly #pairs: Pairs | undefined
  readonly #peers = new Int32Array(MAX_PORTS).fill(DROP)
  readonly #answer = byType('cross-connect', { pairs: () => this.pairs() })
  #names: ReadonlyMap<number, string> = new Map()

  /** @param given - without pairs, ids are paired */
  constructor(given: CrossConnectOptions = {}) {
    this.#pairs = checkedPairs(given)
  }

  /** Names of the ports that are wired together now. */
  pairs(): [string, string][] {
    const found: [string, string][] = []
    for (const [id, name] of this.#names) {
      const peer = this.#peers[id] as number
      if (peer > id) found.push([name, this.#names.get(peer) as string])
    }
    return found
  }

  burst({ count, inPort, outPort }: Burst): void {
    const peer = this.#peers[inPort] as number
    for (let i = 0; i < count; i++) outPort[i] = peer
  }

  portsChanged({ ids, names }: PortDirectory): void {
    this.#names = new Map(names)
    this.#peers.fill(DROP)
    if (this.#pairs === undefined) {
      // By the id's lowest bit, so that a port that leaves does not move the others to new peers.
      for (const id of names.keys()) if (names.has(id ^ 1)) this.#peers[id] = id ^ 1
      return
    }
    for (const [one, other] of this.#pairs) {
      const a = ids.get(one)
      const b = ids.get(other)
      if (a === undefined || b === undefined) continue
      this.#peers[a] = b
      this.#peers[b] = a
    }
  }

  message(message: unknown): unknown {
    return this.#answer(message)
  }
}

/** A cross-connect as a program. */
export function crossConnect(options: CrossConnectOptions = {}): CrossConnect {
  return new CrossConnect(options)
}

/** Makes the program of an lcore, with `data` as its {@link CrossConnectOptions}. */
export default function makeCrossConnect({ data }: ProgramContext): CrossConnect {
  return crossConnect((data ?? {}) as CrossConnectOptions)
}
