import type { PortView } from '../../control.js'
import { columns } from './columns.js'
import type { Paint } from './paint.js'
import { ranges, stateStyle, vlanText } from './port-state.js'

export function portsText(ports: readonly PortView[], paint: Paint): string {
  const headings = ['id', 'name', 'bridge', 'type', 'state', 'vlan', 'rxq', 'txq', 'mtu', 'path']
  const rows = ports.map((port) => {
    const { id, name, bridge, type, state, status, mtu, path } = port
    const shown = status.adminState === 'down' ? `${state} (down)` : state
    return [
      id,
      name,
      bridge,
      type,
      [shown, stateStyle(port)] as const,
      vlanText(port),
      ranges(status.rxQueues) || '-',
      ranges(status.txQueues) || '-',
      mtu,
      path,
    ]
  })
  const reasons = ports.flatMap(({ name, status: { reason } }) =>
    reason === undefined ? [] : [`${name}: ${reason}`],
  )
  const notes = reasons.length === 0 ? '' : `\n\n${reasons.join('\n')}`
  return columns(headings, rows, paint) + notes
}
