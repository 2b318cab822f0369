import type { ReloadView } from '../../control.js'

export function reloadText({ changes, pending }: ReloadView): string {
  if (changes.length === 0 && pending.length === 0) return 'nothing has changed'
  return [...changes, ...pending.map((line) => `not done: ${line}`)].join('\n')
}
