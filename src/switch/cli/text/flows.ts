import type { ExplainView, FlowView } from '../../control.js'
import { columns } from './columns.js'
import type { Paint } from './paint.js'

/** OpenFlow's priority of a rule that gives none, which is not written. */
const DEFAULT_PRIORITY = 32768

/** In the words of `ovs-ofctl dump-flows`. */
export function flowsText(flows: readonly FlowView[], paint: Paint): string {
  return flows.map((flow) => flowLine(flow, paint)).join('\n')
}

function flowLine(flow: FlowView, paint: Paint): string {
  const { cookie, duration, table, packets, bytes, idleTimeout, hardTimeout, idle } = flow
  const counts = [
    `cookie=${cookie}`,
    `duration=${duration.toFixed(3)}s`,
    `table=${table}`,
    `n_packets=${packets}`,
    `n_bytes=${bytes}`,
    ...(idleTimeout > 0 ? [`idle_timeout=${idleTimeout}`] : []),
    ...(hardTimeout > 0 ? [`hard_timeout=${hardTimeout}`] : []),
    `idle_age=${Math.floor(idle)}`,
  ].join(', ')
  const priority = flow.priority === DEFAULT_PRIORITY ? [] : [`priority=${flow.priority}`]
  const match = [...priority, flow.match].filter((part) => part !== '').join(',')
  const rule = `${match === '' ? '' : `${match} `}actions=${flow.actions}`
  return ` ${paint('faint', `${counts},`)} ${rule}`
}

/** How the rules of each table are found, and the function that came of it. */
export function explainText({ tables, source }: ExplainView, paint: Paint): string {
  return `${tablesText(tables, paint)}\n\n${source}`
}

interface Search {
  readonly kind: string
  readonly rules: number
  readonly fields: string
}

function tablesText(tables: unknown, paint: Paint): string {
  if (!Array.isArray(tables)) return JSON.stringify(tables, undefined, 2)
  const rows = (tables as { table: number; searches?: Search[] }[]).flatMap(
    ({ table, searches = [] }) =>
      searches.map(({ kind, rules, fields }) => [table, kind, rules, fields || '(all frames)']),
  )
  return columns(['table', 'search', 'rules', 'fields'], rows, paint)
}
