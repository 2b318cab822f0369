/**
 * The names in a configuration and who belongs to whom, taken from it as it is given: what is wrong with one part keeps
 * nothing from being held against the others.
 *
 * @packageDocumentation
 */
import { isObject, items, member, text } from './raw.js'

/** A part that has a name. */
export interface Named {
  readonly path: string
  /** Path of the key that says its name. */
  readonly namePath: string
  readonly name: string | undefined
  readonly given: unknown
}

export interface PortOutline extends Named {
  readonly bridge: string | undefined
}

export interface BridgeOutline extends Named {
  /** Name of its TAP interface, which is a port too. */
  readonly local: { readonly name: string | undefined; readonly path: string } | undefined
}

export interface Outline {
  readonly lcores: readonly Named[]
  readonly bridges: readonly BridgeOutline[]
  readonly ports: readonly PortOutline[]
  /** The datapath's MTU. */
  readonly mtu: number
}

/** Names of ports of a bridge, with its local port. */
export function portsOfBridge(outline: Outline, bridge: BridgeOutline): Set<string> {
  const names = outline.ports.filter((port) => port.bridge === bridge.name).map(({ name }) => name)
  return new Set([...names, bridge.local?.name].filter((name) => name !== undefined))
}

export function outlineOf(root: unknown): Outline {
  const bridges = bridgesOf(root)
  const first = bridges[0]?.name
  const mtu = member(member(root, 'datapath'), 'mtu')
  return {
    lcores: lcoresOf(root),
    bridges,
    ports: items(member(root, 'ports')).map((given, i) => ({
      ...named(`ports[${i}]`, given),
      bridge: isObject(given) && 'bridge' in given ? text(given.bridge) : first,
    })),
    mtu: typeof mtu === 'number' ? mtu : 1500,
  }
}

function named(path: string, given: unknown): Named {
  return { path, namePath: `${path}.name`, name: text(member(given, 'name')), given }
}

function lcoresOf(root: unknown): Named[] {
  const given = member(root, 'lcores') === undefined ? [{}] : items(member(root, 'lcores'))
  return given.map((lcore, i) => {
    const one = named(`lcores[${i}]`, lcore)
    return member(lcore, 'name') === undefined ? { ...one, name: `lcore${i}` } : one
  })
}

function bridgesOf(root: unknown): BridgeOutline[] {
  const given =
    member(root, 'bridges') === undefined ? [{ name: 'br0' }] : items(member(root, 'bridges'))
  return given.map((bridge, i) => {
    const one = named(`bridges[${i}]`, bridge)
    return { ...one, local: localOf(member(bridge, 'local'), one) }
  })
}

function localOf(given: unknown, bridge: Named): BridgeOutline['local'] {
  const path = `${bridge.path}.local`
  if (isObject(given) && given.iface !== undefined)
    return { name: text(given.iface), path: `${path}.iface` }
  return given === true || isObject(given) ? { name: bridge.name, path } : undefined
}
