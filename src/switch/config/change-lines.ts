import type { Change } from './difference.js'

/** Changes for people, a line each: `port vhost2: added`. */
export function changeLines(changes: readonly Change[]): string[] {
  // What is remade is told of when it is there again.
  return changes.flatMap((change) => {
    const gone = change.type.endsWith('Removed') && 'remade' in change && change.remade
    return gone ? [] : [lineOf(change)]
  })
}

function lineOf(change: Change): string {
  const came = 'remade' in change && change.remade ? 'made anew' : 'added'
  switch (change.type) {
    case 'bridgeAdded':
      return `bridge ${change.bridge.name}: added`
    case 'bridgeRemoved':
      return `bridge ${change.bridge}: removed`
    case 'portAdded':
      return `port ${change.port.port.name}: ${came}`
    case 'portRemoved':
      return `port ${change.port}: removed`
    case 'localAdded':
      return `local port ${change.local.iface} of bridge ${change.bridge}: ${came}`
    case 'localRemoved':
      return `local port ${change.local.iface} of bridge ${change.bridge}: removed`
    case 'attachment':
      return `port ${change.port}: takes part otherwise in bridge ${change.attachment.bridge}`
    case 'adminState':
      return `port ${change.port}: set ${change.adminState}`
    case 'rxAffinity':
      return `port ${change.port}: rx queues pinned otherwise`
    case 'egressShaper':
      return `port ${change.port}: ${change.egressShaper === undefined ? 'no shaper' : 'shaped otherwise'}`
    case 'bridgeSettings':
      return `bridge ${change.bridge}: settings changed`
    case 'tableSize':
      return `bridge ${change.bridge}: table of ${change.tableSize} addresses, empty`
    case 'meters':
      return `bridge ${change.bridge}: meters changed`
    case 'flows':
      return `bridge ${change.bridge}: ${change.add.length} rules added, ${change.delete.length} deleted`
    case 'program':
      return `bridge ${change.bridge}: ${change.program === undefined ? 'program unloaded' : `program ${change.program.file}`}`
    case 'lcoreAdded':
      return `lcore ${change.lcore.name}: ${came}`
    case 'lcoreRemoved':
      return `lcore ${change.lcore}: removed`
    case 'logging':
      return `logging: ${change.logging.level}, ${change.logging.format}`
    case 'metrics':
      return `metrics: ${change.metrics === undefined ? 'not served over TCP' : `on ${change.metrics.listen}`}`
  }
}
