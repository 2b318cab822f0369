import type { Command } from 'commander'
import type { BridgeOptions, ClientOptions } from '../queries.js'
import { argumentsOf, bridgeOption, examples, positive, printing } from './words.js'

const queries = () => import('../queries.js')

export function addQueries(program: Command): void {
  const optionsOf = <T extends ClientOptions>(command: Command) => command.optsWithGlobals<T>()

  printing(program, 'show', 'print bridges and their ports, as ovs-vsctl show does')
    .addHelpText('after', examples('vswitch show', 'vswitch show --json | jq .bridges'))
    .action(async (_options, command: Command) => (await queries()).show(optionsOf(command)))

  printing(program, 'ports', 'print a table of all ports and their state')
    .addHelpText('after', examples('vswitch ports'))
    .action(async (_options, command: Command) => (await queries()).ports(optionsOf(command)))

  printing(program, 'flows [bridge] [selection...]', 'print rules, as ovs-ofctl dump-flows does')
    .addOption(bridgeOption())
    .option('--explain', 'print what the compiler made of the rules')
    .addHelpText(
      'after',
      examples(
        'vswitch flows',
        'vswitch flows br0 table=0,tcp',
        'vswitch flows in_port=vhost0',
        'vswitch flows br0 --explain',
      ),
    )
    .action(async (bridge: string | undefined, rest: string[], _options, command: Command) =>
      (await queries()).flows(argumentsOf(bridge, rest), optionsOf<BridgeOptions>(command)),
    )

  printing(program, 'mac [bridge]', 'print addresses learnt, as ovs-appctl fdb/show does')
    .option('--flush', 'forget them instead')
    .addHelpText('after', examples('vswitch mac', 'vswitch mac br0 --flush'))
    .action(async (bridge: string | undefined, _options, command: Command) =>
      (await queries()).mac(bridge, optionsOf(command)),
    )

  printing(program, 'lcores', 'print who polls what, as ovs-appctl dpif-netdev/pmd-rxq-show does')
    .addHelpText('after', examples('vswitch lcores'))
    .action(async (_options, command: Command) => (await queries()).lcores(optionsOf(command)))

  printing(program, 'stats [port]', 'print counters, as ovs-ofctl dump-ports does')
    .addHelpText('after', examples('vswitch stats', 'vswitch stats vhost0'))
    .action(async (port: string | undefined, _options, command: Command) =>
      (await queries()).stats(port, optionsOf(command)),
    )

  program
    .command('top')
    .description('show what ports, lcores and flows do, again and again')
    .option('--json', 'print one JSON object an interval, for machines')
    .option('-i, --interval <seconds>', 'time between two looks', positive(0.1), 1)
    .option('-n, --count <number>', 'end after so many', positive(1))
    .addHelpText('after', examples('vswitch top', 'vswitch top --json --count 1 | jq .ports'))
    .action(async (_options, command: Command) => {
      const { top } = await import('../top/top.js')
      await top(command.optsWithGlobals())
    })
}
