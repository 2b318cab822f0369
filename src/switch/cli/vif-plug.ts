/** `vif plug` and `vif unplug`: ports of Open vSwitch, as os-vif's plugin `ovs` makes them. */
import {
  newVif,
  OvsdbClient,
  type OvsPlugged,
  type OvsPlugOptions,
  plugOvs,
  unplugOvs,
  type Vif,
} from 'dpdk-vhost/vif'
import { newTerminal } from './terminal.js'
import { type ParseOptions, read, warn } from './vif.js'

interface PlugOptions extends ParseOptions {
  /** `unix:/path` or `tcp:host:port`. Default: where `ovs-vsctl` looks. */
  readonly ovsdb?: string
  readonly bridge?: string
  readonly mtu?: number
  /** Seconds that ovs-vswitchd may take. */
  readonly timeout: number
  readonly verbose?: boolean
}

export async function plug(file: string, options: PlugOptions): Promise<void> {
  await each(file, options, async (client, vifs, limits) => {
    const done: OvsPlugged[] = []
    for (const vif of vifs) {
      try {
        done.push(await plugOvs(client, vif, limits))
      } catch (error) {
        await takeBack(client, vifs, done, options)
        throw error
      }
    }
    return done
  })
}

export async function unplug(file: string, options: PlugOptions): Promise<void> {
  await each(file, options, async (client, vifs, limits) => {
    const done: OvsPlugged[] = []
    for (const vif of vifs) done.push(await unplugOvs(client, vif, limits))
    return done
  })
}

/** Of several ports either all are plugged or none that was not before. */
async function takeBack(
  { remote }: OvsdbClient,
  vifs: readonly Vif[],
  done: readonly OvsPlugged[],
  { timeout }: PlugOptions,
): Promise<void> {
  const created = vifs.filter((_, i) => done[i]?.action === 'created')
  if (created.length === 0) return
  await using client = await OvsdbClient.connect(remote)
  for (const vif of created) await unplugOvs(client, vif, { timeoutMs: 1000 * timeout })
}

async function each(
  file: string,
  options: PlugOptions,
  act: (client: OvsdbClient, vifs: readonly Vif[], limits: OvsPlugOptions) => Promise<OvsPlugged[]>,
): Promise<void> {
  const parsed = read(file, options)
  warn(parsed)
  const { bridge, mtu } = options
  const vifs = parsed.vifs.map((vif) =>
    newVif({ ...vif, ...(bridge ? { bridge } : {}), ...(mtu ? { mtu } : {}) }),
  )
  const stop = new AbortController()
  const onSignal = (signal: string) => stop.abort(new Error(`${signal}: everything was taken back`))
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  await using client = await OvsdbClient.connect(options.ovsdb)
  const { verbose } = options
  const done = await act(client, vifs, {
    timeoutMs: 1000 * options.timeout,
    signal: stop.signal,
    onTransaction: (what, operations) => {
      if (verbose) process.stderr.write(`${what}: ${JSON.stringify(operations)}\n`)
    },
  })
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  newTerminal(options).answer(done, (ports) =>
    ports.map(({ port, bridge, action }) => `${port}: ${action} (bridge ${bridge})`).join('\n'),
  )
}
