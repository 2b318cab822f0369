import type { MacView } from '../../control.js'
import type { Paint } from './paint.js'

/** In the columns of `ovs-appctl fdb/show`, with names of ports. */
export function macText(macs: readonly MacView[], paint: Paint): string {
  const width = Math.max(5, ...macs.map(({ port }) => port.length))
  const heading = `${' port'.padStart(width)}  VLAN  MAC                Age`
  const lines = macs.map(({ port, vlan, mac, age, static: isStatic }) => {
    const shown = isStatic ? 'static' : String(Math.floor(age)).padStart(3)
    return `${port.padStart(width)}  ${String(vlan).padStart(4)}  ${mac}  ${shown}`
  })
  return [paint('heading', heading), ...lines].join('\n')
}
