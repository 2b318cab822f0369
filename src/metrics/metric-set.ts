import type { Metric, Registry } from 'prom-client'
import { linesOf, type MetricDefinition, type MOST_LABELS } from './definition.js'
import { MetricsText } from './text.js'

/** Metrics that are read from snapshots of the same kind; each scrape takes one. */
export class MetricSet<Snapshot> {
  readonly #definitions: readonly MetricDefinition<Snapshot>[]
  readonly #text: MetricsText<Snapshot>
  readonly #take: () => Promise<Snapshot>
  #taken: Promise<Snapshot> | undefined

  /**
   * @param take - reads all counters
   * @throws RangeError when a metric has more labels than {@link MOST_LABELS}
   */
  constructor(definitions: readonly MetricDefinition<Snapshot>[], take: () => Promise<Snapshot>) {
    this.#definitions = definitions
    this.#text = new MetricsText(definitions)
    this.#take = take
  }

  /** In Prometheus' text format. */
  async text(): Promise<string> {
    return (await this.bytes()).toString()
  }

  /** The text in UTF-8, for who sends it: of hundreds of ports it is a megabyte, of which no string is made here. */
  async bytes(): Promise<Buffer> {
    return this.#text.of(await this.#take())
  }

  /**
   * Adds them to a registry of `prom-client`, beside what it has.
   *
   * @throws Error of `prom-client` when it has a metric of one of the names
   */
  register(registry: Registry): void {
    for (const definition of this.#definitions) registry.registerMetric(this.#metricOf(definition))
  }

  #metricOf(definition: MetricDefinition<Snapshot>): Metric {
    const { name, help, type } = definition
    const get = async () => {
      const values: object[] = []
      linesOf(definition, await this.#sharedSnapshot(), (metricName, labels, of, value) => {
        const own = Object.fromEntries(labels.map((label, i) => [label, of[i]]))
        values.push({ metricName, labels: own, value })
      })
      return { name, help, type, values, aggregator: 'sum' }
    }
    // All that a registry asks of a metric. Those of prom-client keep values of their own instead.
    return { name, get, reset: () => {} } as unknown as Metric
  }

  /** A registry asks all its metrics in one go, without waiting in between: these share one. */
  #sharedSnapshot(): Promise<Snapshot> {
    if (this.#taken === undefined) {
      this.#taken = this.#take()
      queueMicrotask(() => {
        this.#taken = undefined
      })
    }
    return this.#taken
  }
}
