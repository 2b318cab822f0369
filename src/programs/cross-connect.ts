/**
 * Wires ports together in pairs: all that comes in on one goes out on the other, unseen.
 *
 * @packageDocumentation
 */
import * as z from 'zod'
import { type Burst, DROP, MAX_PORTS } from '../burst/burst.js'
import { nameField } from '../config/fields.js'
import { validate } from '../config/validate.js'
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

const options = z.strictObject({
  pairs: z
    .array(z.tuple([nameField, nameField]).describe('two names of ports'))
    .superRefine((pairs, ctx) => {
      const seen = new Set<string>()
      pairs.forEach((pair, i) => {
        pair.forEach((name, j) => {
          const fix = 'wire each port to one other'
          if (seen.has(name))
            ctx.addIssue({
              code: 'custom',
              path: [i, j],
              message: 'is wired already',
              params: { fix },
            })
          seen.add(name)
        })
      })
    })
    .optional(),
})

/** The program. */
export class CrossConnect implements Program {
  readonly name = 'cross-connect'
  readonly #pairs: readonly (readonly [string, string])[] | undefined
  readonly #peers = new Int32Array(MAX_PORTS).fill(DROP)
  readonly #answer = byType('cross-connect', { pairs: () => this.pairs() })
  #names: ReadonlyMap<number, string> = new Map()

  /** @param given - without pairs, ids are paired */
  constructor(given: CrossConnectOptions = {}) {
    this.#pairs = validate(options, given, 'cross-connect').pairs
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
