import type { PortView } from '../../control.js'
import type { Style } from './paint.js'

/** Colour of a port's state. */
export function stateStyle({ state, status }: PortView): Style {
  if (state === 'ready') return 'good'
  if (state === 'failed') return 'bad'
  return status.adminState === 'down' ? 'faint' : 'waiting'
}

/** `access 10`, `trunk`, `trunk 1,2-5`, `native-tagged 10 trunks 1,2` */
export function vlanText({ vlanMode, tag, trunks }: PortView): string {
  const list = trunks.length === 0 ? '' : ranges(trunks)
  if (vlanMode === 'access') return `access ${tag ?? 0}`
  if (vlanMode === 'trunk') return ['trunk', list].filter(Boolean).join(' ')
  return [`${vlanMode} ${tag ?? 0}`, list && `trunks ${list}`].filter(Boolean).join(' ')
}

/** `1,3-5` */
export function ranges(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b)
  const parts: [first: number, last: number][] = []
  for (const number of sorted) {
    const last = parts.at(-1)
    if (last !== undefined && number <= last[1] + 1) last[1] = number
    else parts.push([number, number])
  }
  return parts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}
