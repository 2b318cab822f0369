/** Subcommands that only look. */

import { AdminClient } from '../admin/client.js'
import { counted } from '../counted.js'
import { oneBridge, takeBridge } from './bridge-argument.js'
import { CommandError, UsageError } from './exit-codes.js'
import { newTerminal } from './terminal.js'
import { explainText, flowsText } from './text/flows.js'
import { lcoresText } from './text/lcores.js'
import { macText } from './text/mac.js'
import { portsText } from './text/ports.js'
import { showText } from './text/show.js'
import { statsText } from './text/stats.js'

/** Options of every subcommand that talks to a switch. */
export interface ClientOptions {
  readonly socket: string
  readonly json?: boolean
}

export interface BridgeOptions extends ClientOptions {
  readonly bridge?: string
}

export async function show(options: ClientOptions): Promise<void> {
  const { answer, paint } = newTerminal(options)
  answer(await new AdminClient(options.socket).show(), (view) => showText(view, paint))
}

export async function ports(options: ClientOptions): Promise<void> {
  const { answer, paint } = newTerminal(options)
  answer(await new AdminClient(options.socket).ports(), (views) => portsText(views, paint))
}

export async function flows(
  args: readonly string[],
  options: BridgeOptions & { explain?: boolean },
): Promise<void> {
  const client = new AdminClient(options.socket)
  const { answer, paint } = newTerminal(options)
  const { bridge, rest } = await takeBridge(client, args, options.bridge)
  if (options.explain) {
    if (rest.length > 0) throw new UsageError(`--explain is of all rules, not of ${rest.join(' ')}`)
    answer(await client.flowsExplain(bridge), (view) => explainText(view, paint))
    return
  }
  answer(await client.flows(bridge, rest.join(',') || undefined), (views) =>
    flowsText(views, paint),
  )
}

export async function mac(
  name: string | undefined,
  options: ClientOptions & { flush?: boolean },
): Promise<void> {
  const client = new AdminClient(options.socket)
  const { answer, paint } = newTerminal(options)
  const bridge = await oneBridge(client, name)
  if (options.flush) {
    answer(
      { flushed: await client.macFlush(bridge) },
      ({ flushed }) => `${counted(flushed, 'address', 'addresses')} forgotten`,
    )
    return
  }
  answer(await client.mac(bridge), (views) => macText(views, paint))
}

export async function lcores(options: ClientOptions): Promise<void> {
  const { answer, paint } = newTerminal(options)
  answer(await new AdminClient(options.socket).lcores(), (views) => lcoresText(views, paint))
}

export async function stats(port: string | undefined, options: ClientOptions): Promise<void> {
  const { answer, paint } = newTerminal(options)
  const view = await new AdminClient(options.socket).stats()
  if (port === undefined) return answer(view, (all) => statsText(all, paint))
  const own = view.ports[port]
  if (own === undefined) {
    const names = Object.keys(view.ports).join(', ') || 'none'
    throw new CommandError(`no port is called ${port}; there are: ${names}`)
  }
  answer({ ports: { [port]: own }, bridges: {}, mirrors: [] }, (one) => statsText(one, paint))
}
