/**
 * Metrics of a datapath for Prometheus.
 *
 * @packageDocumentation
 */
export { DATAPATH_METRICS, DatapathMetrics } from './datapath-metrics.js'
export {
  type HistogramValue,
  type LabelValues,
  type MetricDefinition,
  MOST_LABELS,
  snakeCase,
} from './definition.js'
export { MetricSet } from './metric-set.js'
export type { DatapathSnapshot, LcoreSnapshot, PortSnapshot } from './snapshot.js'
