import type { ReloadView } from '../../control.js'

export function reloadText({ changes, pending, warnings }: ReloadView): string {
  const nothing = changes.length + pending.length === 0 ? ['nothing has changed'] : []
  return [
    ...nothing,
    ...changes,
    ...pending.map((line) => `not done: ${line}`),
    ...warnings.map((line) => `warning: ${line}`),
  ].join('\n')
}
