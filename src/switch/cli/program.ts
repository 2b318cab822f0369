/**
 * The subcommands. What each does is imported only when it is asked for.
 *
 * @packageDocumentation
 */
import { createRequire } from 'node:module'
import { Command, Option } from 'commander'
import { defaultAdminSocket } from '../admin/default-socket.js'
import { addAgent } from './subcommands/agent.js'
import { addCapture } from './subcommands/capture.js'
import { addChanges } from './subcommands/changes.js'
import { addProcessCommands } from './subcommands/process.js'
import { addQueries } from './subcommands/queries.js'
import { addVifCommands } from './subcommands/vif.js'
import { examples } from './subcommands/words.js'

const { version } = createRequire(import.meta.url)('dpdk-vhost/package.json') as { version: string }

const EXIT_CODES = `
Exit codes:
  0  done
  1  refused: by the switch, or a configuration with problems
  2  the command line makes no sense
  3  no switch listens at the admin socket, or it may not be talked to`

/** @param setExitCode - told of an exit code other than 0 that is no error to report */
export function newProgram(setExitCode: (code: number) => void): Command {
  const program = new Command('vswitch')
    .description('A userspace switch for virtual machines, on DPDK vhost-user.')
    .version(version, '-V, --version', 'print the version')
    .addOption(
      new Option('--socket <path>', 'admin socket of the switch')
        .env('VSWITCH_SOCKET')
        .default(defaultAdminSocket()),
    )
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .addHelpText('after', EXIT_CODES)
    .addHelpText(
      'after',
      examples('vswitch check /etc/vswitch.yaml', 'vswitch run /etc/vswitch.yaml', 'vswitch show'),
    )
  addProcessCommands(program, setExitCode)
  addQueries(program)
  addCapture(program)
  addChanges(program)
  addVifCommands(program, setExitCode)
  addAgent(program, setExitCode)
  return program
}
