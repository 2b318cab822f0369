import type { AdminClient } from '../admin/client.js'
import { UsageError } from './exit-codes.js'

/**
 * Which bridge is meant, and the arguments that are not its name. The first argument is the bridge if one is called
 * that, as `ovs-ofctl` has it; it may be left out where there is only one bridge.
 *
 * @param option - `--bridge`
 * @throws UsageError when several bridges could be meant
 */
export async function takeBridge(
  client: AdminClient,
  args: readonly string[],
  option: string | undefined,
): Promise<{ bridge: string; rest: readonly string[] }> {
  if (option !== undefined) return { bridge: option, rest: args }
  const names = (await client.show()).bridges.map(({ name }) => name)
  const [first, ...rest] = args
  if (first !== undefined && names.includes(first)) return { bridge: first, rest }
  const [only, another] = names
  if (only === undefined) throw new UsageError('the switch has no bridge')
  if (another === undefined) return { bridge: only, rest: args }
  throw new UsageError(
    `which bridge? there are ${names.join(', ')}; name one first, or by --bridge`,
  )
}

/** The same for a subcommand that takes nothing but a bridge: any other argument is a bridge that is not there. */
export async function oneBridge(client: AdminClient, name: string | undefined): Promise<string> {
  return name ?? (await takeBridge(client, [], undefined)).bridge
}
