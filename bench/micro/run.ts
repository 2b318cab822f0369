/** `npm run bench -- micro`: parts of a switch by themselves, on this thread. */
import { run } from 'mitata'
import { benchFlows } from './flows.js'
import { benchHeaders } from './headers.js'
import { benchMacTable } from './mac-table.js'
import { benchPoll } from './poll.js'

export async function runMicro(): Promise<void> {
  await using _datapath = await benchPoll()
  benchHeaders()
  benchMacTable()
  await run({ colors: process.stdout.isTTY })
  benchFlows()
}
