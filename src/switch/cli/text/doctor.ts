import { type Finding, SEVERITIES, type Severity } from 'dpdk-vhost/doctor'
import type { Paint, Style } from './paint.js'

const STYLES: Readonly<Record<Severity, Style>> = {
  ok: 'good',
  note: 'faint',
  warning: 'waiting',
  error: 'bad',
}

/** Findings, the worst first; what is well in one line each, or counted. */
export function doctorText(findings: readonly Finding[], all: boolean, paint: Paint): string {
  const sorted = [...SEVERITIES]
    .reverse()
    .flatMap((severity) => findings.filter((finding) => finding.severity === severity))
  const lines = sorted.flatMap(({ check, severity, seen, why, fix }) => {
    if (severity === 'ok' && !all) return []
    const head = `${paint(STYLES[severity], severity.padEnd(7))}  ${check}: ${seen}`
    if (severity === 'ok') return [head]
    const indent = ' '.repeat(9)
    return [
      head,
      ...(why === undefined ? [] : [`${indent}${why}`]),
      ...(fix === undefined ? [] : [`${indent}${paint('heading', fix)}`]),
    ]
  })
  const counts = [...SEVERITIES]
    .reverse()
    .map((severity) => [findings.filter((one) => one.severity === severity).length, severity])
    .filter(([count]) => count !== 0)
    .map(
      ([count, severity]) => `${count} ${severity}${severity === 'ok' || count === 1 ? '' : 's'}`,
    )
  return [...lines, counts.join(', ')].join('\n')
}
