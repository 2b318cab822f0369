/** `agent`: ports of the switch as files or Neutron say. */
import { type AgentOptions, runAgent } from '../agent/run.js'
import { CommandError } from './exit-codes.js'

/** Returns the exit code. */
export async function agent(options: AgentOptions): Promise<number> {
  try {
    return await runAgent(options)
  } catch (error) {
    throw new CommandError((error as Error).message)
  }
}
