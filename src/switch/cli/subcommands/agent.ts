import { type Command, Option } from 'commander'
import { examples, positive } from './words.js'

export function addAgent(program: Command, setExitCode: (code: number) => void): void {
  const levels = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug']
  program
    .command('agent')
    .description('make the ports of a running switch what a folder of files, or Neutron, says')
    .option('--ports <folder>', 'a folder with a file a port: NAME.json')
    .option('--neutron [url]', 'ports of Neutron; without a URL the one that Keystone knows')
    .option('--host <name>', "binding:host_id of the ports (default: this host's name)")
    .option('--tags', "tell Neutron the state of ports as tags 'vswitch-plugged', 'vswitch-failed'")
    .option('--state <folder>', "folder of state files (default: 'agent' beside the admin socket)")
    .option('--interval <seconds>', 'time between two looks at switch and folder', positive(0.1), 1)
    .option('--poll <seconds>', 'time between two polls of Neutron', positive(0.1), 5)
    .option('--timeout <seconds>', 'how long an answer may take', positive(0.1), 20)
    .addOption(new Option('--log-level <level>', 'what is logged').choices(levels).default('info'))
    .addOption(new Option('--log-format <format>', 'how').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      `
A file is a port as Neutron prints it, { port, network, qos_policy, switch }, or a description as
'vswitch vif parse --json' prints it. Ports stay when the agent ends, and are put back when the switch comes back.
User and password for Neutron are in OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME, ..., or
a token in OS_TOKEN.
${examples(
  'vswitch agent --ports /var/lib/vswitch/ports',
  '. openrc; vswitch agent --neutron --host compute1',
)}`,
    )
    .action(async (_options, command: Command) => {
      setExitCode(await (await import('../agent.js')).agent(command.optsWithGlobals()))
    })
}
