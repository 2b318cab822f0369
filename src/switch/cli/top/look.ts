import type { AdminClient } from '../../admin/client.js'
import type { FlowView, LcoreView, StatsView, SwitchView } from '../../control.js'

/** The counters of a switch at one moment. */
export interface Look {
  /** Milliseconds; only differences mean something. */
  readonly at: number
  readonly show: SwitchView
  readonly stats: StatsView
  readonly lcores: readonly LcoreView[]
  readonly flows: readonly BridgeFlow[]
}

export type BridgeFlow = FlowView & { readonly bridge: string }

/** Of a bridge with more rules only those with a cookie are asked for: to write down very many takes the switch a while. */
export const MOST_RULES = 1000

/** @throws as {@link AdminClient} */
export async function look(client: AdminClient, withFlows: boolean): Promise<Look> {
  const show = await client.show()
  const bridges = withFlows ? show.bridges.filter(({ rules }) => rules > 0) : []
  const [stats, lcores, ...flows] = await Promise.all([
    client.stats().then((view) => ({ view, at: performance.now() })),
    client.lcores(),
    ...bridges.map(({ name, rules }) => flowsOf(client, name, rules)),
  ])
  return { at: stats.at, show, stats: stats.view, lcores, flows: flows.flat() }
}

async function flowsOf(client: AdminClient, bridge: string, rules: number): Promise<BridgeFlow[]> {
  const flows = await (rules > MOST_RULES ? client.flowsLabelled(bridge) : client.flows(bridge))
  return flows.map((flow) => ({ ...flow, bridge }))
}
