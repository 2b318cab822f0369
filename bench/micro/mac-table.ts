import { do_not_optimize } from 'mitata'
import { sharedMacTable } from '../../src/programs/learning-switch.js'
import { MacTable } from '../../src/programs/mac-table.js'
import type { Operation } from './operation.js'

/** A burst's worth. */
const LOOKUPS = 32

/** The table of the learning switch, beside a `Map`. */
export function macOperations(): Operation[] {
  return [2, 1000, 100_000].flatMap((addresses) => {
    const { table, map } = filled(addresses)
    let next = 0
    // A step that is coprime to the number, so that all addresses are met in an order no cache foresees.
    const step = () => {
      next = (next + 7919) % addresses
      return next
    }
    const group = `A lookup among ${addresses.toLocaleString('en')} MAC addresses`
    const operation = (name: string, run: () => void) => ({ group, name, per: LOOKUPS, run })
    return [
      operation('MacTable.find', () => {
        let sum = 0
        for (let i = 0; i < LOOKUPS; i++) sum += table.find(low(step()), HIGH)
        do_not_optimize(sum)
      }),
      operation('Map.get of a 48-bit number', () => {
        let sum = 0
        for (let i = 0; i < LOOKUPS; i++) sum += map.get(number(step())) as number
        do_not_optimize(sum)
      }),
    ]
  })
}

/** Octets 4 and 5 of every address. */
const HIGH = 0x2a01

/** Octets 0 to 3 of an address, octet 0 lowest. */
function low(index: number): number {
  return (index << 8) | 0x02
}

function number(index: number): number {
  return HIGH * 2 ** 32 + index * 256 + 2
}

function filled(addresses: number): { table: MacTable; map: Map<number, number> } {
  const table = new MacTable(sharedMacTable(Math.max(addresses, 16)))
  const map = new Map<number, number>()
  for (let i = 0; i < addresses; i++) {
    table.learn(low(i), HIGH, i & 1, 1)
    map.set(number(i), i & 1)
  }
  return { table, map }
}
