import type { Change } from '../config/index.js'
import type { LocalPort, SwitchSpec } from '../spec.js'

/**
 * What is true after a change from one spec to another of which parts failed: of those the old, of all else the new. The
 * difference to the new spec is what is to be tried again.
 */
export function settled(from: SwitchSpec, to: SwitchSpec, failed: readonly Change[]): SwitchSpec {
  const bridges = new Set<string>()
  const ports = new Set<string>()
  const lcores = new Set<string>()
  const locals = new Map<string, LocalPort | undefined>()
  for (const change of failed) {
    switch (change.type) {
      case 'portAdded':
        ports.add(change.port.port.name)
        break
      case 'bridgeAdded':
        bridges.add(change.bridge.name)
        break
      case 'lcoreAdded':
        lcores.add(change.lcore.name)
        break
      case 'lcoreRemoved':
        lcores.add(change.lcore)
        break
      case 'localRemoved':
        locals.set(change.bridge, change.local)
        break
      case 'localAdded':
        locals.set(change.bridge, undefined)
        break
      default:
        if ('port' in change) ports.add(change.port)
        else if ('bridge' in change) bridges.add(change.bridge)
    }
  }
  // What was to be made anew and was not is gone.
  const gone = new Set(
    failed.flatMap((change) => {
      if (change.type === 'portAdded') return [`port ${change.port.port.name}`]
      return change.type === 'lcoreAdded' ? [`lcore ${change.lcore.name}`] : []
    }),
  )
  return {
    ...to,
    bridges: merge(from.bridges, to.bridges, ({ name }) => name, bridges).map((bridge) =>
      locals.has(bridge.name) ? { ...bridge, local: locals.get(bridge.name) } : bridge,
    ),
    ports: merge(from.ports, to.ports, ({ port }) => port.name, ports).filter(
      ({ port }) => !gone.has(`port ${port.name}`),
    ),
    lcores: merge(from.lcores, to.lcores, ({ name }) => name, lcores).filter(
      ({ name }) => !gone.has(`lcore ${name}`),
    ),
  }
}

/** All of `to`, but those of the names in `old` as they are in `from`, if they are there. */
function merge<T>(
  from: readonly T[],
  to: readonly T[],
  nameOf: (one: T) => string,
  old: ReadonlySet<string>,
): T[] {
  return [
    ...to.filter((one) => !old.has(nameOf(one))),
    ...from.filter((one) => old.has(nameOf(one))),
  ]
}
