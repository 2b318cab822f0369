/**
 * The stations of the concurrent tests: each address is in every VLAN, and there ever only on two ports that can be told
 * from the address and the VLAN. A reader that paired an address with the port of another, or of itself in another
 * VLAN, would show.
 */
export const STATIONS = 100
export const VLANS = 4

/** The first of the two ports, an even number. */
export function portsOf(n: number, vlan: number): number {
  return (vlan * 2 + (n % 2)) * 2
}
