import type { LcoreView } from '../../control.js'
import type { Paint } from './paint.js'

/** In the layout of `ovs-appctl dpif-netdev/pmd-rxq-show`. What an lcore is busy with is known for all its queues together. */
export function lcoresText(lcores: readonly LcoreView[], paint: Paint): string {
  return lcores.map((lcore) => lcoreText(lcore, paint)).join('\n')
}

function lcoreText({ name, cpu, rxQueues, counters }: LcoreView, paint: Paint): string {
  const { polls, emptyPolls, sleeps, busyCycles, totalCycles } = counters
  const core = cpu === undefined ? 'core_id any' : `core_id ${cpu}`
  const isolated = rxQueues.length > 0 && rxQueues.every(({ pinned }) => pinned)
  const busy = totalCycles > 0 ? Math.round((100 * busyCycles) / totalCycles) : 0
  return [
    paint('heading', `lcore thread ${name} ${core}:`),
    `  isolated : ${isolated}`,
    ...rxQueues.map(({ port, queue, enabled, pinned }) => {
      const state = enabled ? '(enabled) ' : paint('faint', '(disabled)')
      const pin = pinned ? '  pinned' : ''
      return `  port: ${port.padEnd(16)}  queue-id: ${String(queue).padStart(2)} ${state}${pin}`.trimEnd()
    }),
    `  usage: ${busy} %`,
    `  polls: ${polls} (${emptyPolls} empty), sleeps: ${sleeps}`,
  ].join('\n')
}
