import type { Command } from 'commander'
import type { FlowOptions } from '../changes.js'
import { bridgeOption, examples, group, printing } from './words.js'

const changes = () => import('../changes.js')

export function addChanges(program: Command): void {
  addPortCommands(program)
  addFlowCommands(program)
  addProgramCommands(program)

  printing(program, 'reload', 'read the configuration again and apply the difference')
    .addHelpText('after', examples('vswitch reload'))
    .action(async (_options, command: Command) =>
      (await changes()).reload(command.optsWithGlobals()),
    )

  printing(program, 'stop', 'end the switch, and wait until it has')
    .addHelpText('after', examples('vswitch stop'))
    .action(async (_options, command: Command) => (await changes()).stop(command.optsWithGlobals()))
}

function addPortCommands(program: Command): void {
  const port = group(
    program,
    'port',
    'add, delete and change ports',
    'vswitch port add vhost2 type=dpdkvhostuserclient path=/run/vm/vhost2.sock tag=10',
    'vswitch port set vhost2 adminState=down',
    'vswitch port del vhost2',
  )

  printing(port, 'add <name> <key=value...>', 'add a port')
    .addOption(bridgeOption())
    .addHelpText(
      'after',
      `
Keys and values are those of a port in the configuration; values are YAML.
${examples(
  'vswitch port add vhost2 type=dpdkvhostuserclient path=/run/vm/vhost2.sock tag=10',
  "vswitch port add up0 type=dpdk devargs=0000:01:00.0 'trunks=[10,20]' --bridge br0",
)}`,
    )
    .action(async (name: string, pairs: string[], _options, command: Command) =>
      (await changes()).portAdd(name, pairs, command.optsWithGlobals()),
    )

  printing(port, 'del <name...>', 'delete ports')
    .option('--if-exists', 'leave out those that are not there')
    .addHelpText('after', examples('vswitch port del vhost2'))
    .action(async (names: string[], _options, command: Command) =>
      (await changes()).portDelete(names, command.optsWithGlobals()),
    )

  printing(port, 'set <name> <key=value...>', 'change keys of a port')
    .addHelpText(
      'after',
      `
An empty value takes a key away. A port whose change cannot be made while it runs is made
anew, and its guest connects again.
${examples('vswitch port set vhost2 tag=20', 'vswitch port set vhost2 adminState=down', 'vswitch port set vhost2 tag=')}`,
    )
    .action(async (name: string, pairs: string[], _options, command: Command) =>
      (await changes()).portSet(name, pairs, command.optsWithGlobals()),
    )
}

function addFlowCommands(program: Command): void {
  const flow = group(
    program,
    'flow',
    'add, delete and change rules, in the words of ovs-ofctl',
    'vswitch flow add priority=10,in_port=vhost0,tcp,tp_dst=80,actions=output:vhost1',
    'vswitch flow del in_port=vhost0,tcp',
    'vswitch flow replace br0 --file rules.txt',
  )
  type Action = (args: readonly string[], options: FlowOptions) => Promise<void>
  const add = (
    usage: string,
    description: string,
    help: string,
    action: (module: Awaited<ReturnType<typeof changes>>) => Action,
  ) =>
    printing(flow, usage, description)
      .usage(`${usage.slice(usage.indexOf(' ') + 1)} [options]`)
      .addOption(bridgeOption())
      .option('-f, --file <file>', 'further rules from a file, one a line; -: standard input')
      .addHelpText('after', help)
      .action(async (args: string[], _options, command: Command) =>
        action(await changes())(args, command.optsWithGlobals()),
      )

  add(
    'add [bridge-or-rule...]',
    'add rules: all of them or, if one is wrong, none',
    examples(
      'vswitch flow add priority=10,in_port=vhost0,tcp,tp_dst=80,actions=output:vhost1',
      'vswitch flow add br0 actions=normal',
      'vswitch flow add br0 --file rules.txt',
      'generate-rules | vswitch flow add br0 -',
    ),
    ({ flowAdd }) => flowAdd,
  )
  add(
    'del [bridge-or-selection...]',
    'delete the rules that selections choose',
    examples(
      'vswitch flow del in_port=vhost0,tcp',
      'vswitch flow del br0 --all',
      'vswitch flow del br0 --strict priority=10,tcp,tp_dst=80',
    ),
    ({ flowDelete }) => flowDelete,
  )
    .option('--strict', 'only rules of exactly that match and priority')
    .option('--all', 'all rules of the bridge')
  add(
    'mod [bridge-or-rule...]',
    'give rules that are there other actions',
    examples('vswitch flow mod tcp,actions=drop'),
    ({ flowModify }) => flowModify,
  ).option('--strict', 'only rules of exactly that match and priority')
  add(
    'replace [bridge-or-rule...]',
    'put these rules in place of all; those that stay the same keep their counters',
    examples('vswitch flow replace br0 --file rules.txt', 'vswitch flow replace br0 - < rules.txt'),
    ({ flowReplace }) => flowReplace,
  )
}

function addProgramCommands(program: Command): void {
  const programs = group(
    program,
    'program',
    "load a user's program into a bridge, and unload it",
    'vswitch program load firewall.ts --bridge br0',
    'vswitch program unload --bridge br0',
  )

  printing(
    programs,
    'load <file>',
    'let a TypeScript or JavaScript file decide the frames of a bridge',
  )
    .addOption(bridgeOption())
    .option('--data <json>', "`data` of the context that the program's factory is handed")
    .addHelpText(
      'after',
      examples('vswitch program load firewall.ts --bridge br0 --data \'{"allow": [22]}\''),
    )
    .action(async (file: string, _options, command: Command) =>
      (await changes()).programLoad(file, command.optsWithGlobals()),
    )

  printing(programs, 'unload', "go back to the bridge's flows, or to switching")
    .addOption(bridgeOption())
    .addHelpText('after', examples('vswitch program unload --bridge br0'))
    .action(async (_options, command: Command) =>
      (await changes()).programUnload(command.optsWithGlobals()),
    )
}
