/**
 * The subcommands. What each does is imported only when it is asked for.
 *
 * @packageDocumentation
 */
import { createRequire } from 'node:module'
import { Command, InvalidArgumentError, Option } from 'commander'
import { defaultAdminSocket } from '../admin/default-socket.js'
import type { FlowOptions } from './changes.js'
import type { BridgeOptions, ClientOptions } from './queries.js'

const { version } = createRequire(import.meta.url)('dpdk-vhost/package.json') as { version: string }

const queries = () => import('./queries.js')
const changes = () => import('./changes.js')

/** Written out, so that nothing has to be loaded to say them; a test holds them against the library. */
const sources = ['neutron', 'libvirt', 'qemu', 'ovs-show', 'ovsdb', 'vif']
const artefacts = ['roles', 'vswitch', 'libvirt', 'qemu', 'ovs', 'ovsdb', 'details', 'neutron']

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

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`
}

/** Makes a subcommand that prints, for people or for machines. */
function printing(parent: Command, usage: string, description: string): Command {
  return parent.command(usage).description(description).option('--json', 'print JSON for machines')
}

const bridgeOption = () => new Option('-b, --bridge <name>', 'the bridge, if there are several')

function addProcessCommands(program: Command, setExitCode: (code: number) => void): void {
  program
    .command('run <file>')
    .description('run a switch in the foreground, as a configuration says')
    .option('--watch', 'reload whenever the configuration, or a file that it names, changes')
    .addHelpText(
      'after',
      `
The admin socket is the one of the configuration, unless --socket or VSWITCH_SOCKET names one.
SIGHUP reloads the configuration. SIGTERM and SIGINT end the switch, a second one at once.
${examples('vswitch run vswitch.yaml', 'vswitch run vswitch.yaml --watch --socket /tmp/admin.sock')}`,
    )
    .action(async (file: string, { watch }: { watch?: boolean }) => {
      // Nothing has been read yet that could be read again; to end by it would be the default.
      process.on('SIGHUP', () => {})
      const { run } = await import('../service/run.js')
      const isGiven = program.getOptionValueSource('socket') !== 'default'
      const socket = isGiven ? (program.opts().socket as string) : undefined
      setExitCode(await run(file, { watch: watch ?? false, socket }))
    })

  printing(program, 'check <file>', 'check a configuration; name all its problems')
    .addHelpText(
      'after',
      examples('vswitch check vswitch.yaml', 'vswitch check vswitch.yaml --json'),
    )
    .action(async (file: string, options: { json?: boolean }) => {
      setExitCode(await (await import('./process.js')).check(file, options))
    })

  printing(program, 'doctor [file]', 'look the machine over: what keeps a switch from running well')
    .option('--all', 'print what is well, too')
    .addOption(
      new Option('--root <folder>', 'look at another machine, by what was saved of it').hideHelp(),
    )
    .addHelpText(
      'after',
      `
Looks at the configuration too: the one named, else that of the switch that runs, else /etc/vswitch/vswitch.yaml.
Exit code 1 if anything is an error, else 0.
${examples('vswitch doctor', 'vswitch doctor vswitch.yaml --all', 'vswitch doctor --json')}`,
    )
    .action(async (file: string | undefined, _options, command: Command) => {
      setExitCode(await (await import('./doctor.js')).doctor(file, command.optsWithGlobals()))
    })

  program
    .command('schema')
    .description('print the JSON Schema of configurations, for editors')
    .addHelpText('after', examples('vswitch schema > vswitch.schema.json'))
    .action(async () => (await import('./process.js')).schema())
}

function addQueries(program: Command): void {
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
      const { top } = await import('./top/top.js')
      await top(command.optsWithGlobals())
    })
}

/** A positive number of an option. */
function positive(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (Number.isFinite(value) && value >= least && (least < 1 || Number.isInteger(value)))
      return value
    const kind = least < 1 ? 'a number' : 'a whole number'
    throw new InvalidArgumentError(`Give ${kind} from ${least} on.`)
  }
}

function addCapture(program: Command): void {
  program
    .command('capture [port...]')
    .description('capture what ports receive and send, as tcpdump does')
    .option('--all', 'all ports, and those that come later')
    .option('-f, --filter <expression>', 'only frames that a filter of tcpdump wants')
    .option('-s, --snaplen <bytes>', 'keep so much of each frame', wholeNumber)
    .option('-c, --count <frames>', 'end after so many frames', wholeNumber)
    .addOption(
      new Option('--direction <direction>', 'what ports receive (rx), send (tx), or both').choices([
        'rx',
        'tx',
        'both',
      ]),
    )
    .option('-w, --write <file>', 'write pcapng instead of a line a frame; -: standard output')
    .addHelpText(
      'after',
      examples(
        'vswitch capture vhost0',
        "vswitch capture vhost0,vhost1 --filter 'tcp port 80' -w - | tcpdump -n -r -",
        'vswitch capture --all --snaplen 128 -w - | wireshark -k -i -',
        'vswitch capture vhost0 --direction rx --count 1000 -w vhost0.pcapng',
      ),
    )
    .action(async (ports: string[], _options, command: Command) =>
      (await import('./capture.js')).capture(ports, command.optsWithGlobals()),
    )
}

function wholeNumber(text: string): number {
  if (/^[0-9]+$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is no whole number.')
}

function argumentsOf(first: string | undefined, rest: readonly string[]): string[] {
  return first === undefined ? [] : [first, ...rest]
}

function addChanges(program: Command): void {
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

function addVifCommands(program: Command, setExitCode: (code: number) => void): void {
  const vif = group(
    program,
    'vif',
    'a port as OpenStack, libvirt, QEMU and Open vSwitch see it; needs no running switch',
    'virsh dumpxml vm1 | vswitch vif parse -',
    'openstack port show -f json PORT | vswitch vif render - --as libvirt --queues 2',
  )
  const reading = (usage: string, description: string) =>
    printing(vif, usage, description)
      .addOption(
        new Option('--from <source>', 'what the file is (default: found out)').choices(sources),
      )
      .option('--socket-folder <folder>', "where OVS makes the sockets of 'dpdkvhostuser' ports")

  reading('parse <file>', "read a port's artefact; -: standard input")
    .addHelpText(
      'after',
      `
Reads ports of Neutron (JSON), libvirt's domains, command lines of QEMU and libvirt's log of
them, \`ovs-vsctl show\`, and rows of an OVSDB (JSON).
${examples(
  'virsh dumpxml vm1 | vswitch vif parse -',
  'vswitch vif parse /var/log/libvirt/qemu/vm1.log',
  'vswitch vif parse /proc/4711/cmdline --json',
  'ovs-vsctl show | vswitch vif parse -',
)}`,
    )
    .action(async (file: string, _options, command: Command) =>
      (await import('./vif.js')).parse(file, command.optsWithGlobals()),
    )

  reading('render <file>', 'make of an artefact what the other parties need; -: standard input')
    .addOption(new Option('--as <artefact>', 'only this (default: all)').choices(artefacts))
    .option(
      '--queues <pairs>',
      "queue pairs, as the flavor's hw:vif_multiqueue_enabled gives",
      wholeNumber,
    )
    .option(
      '--rx-queue-size <entries>',
      'entries of the rings that a guest receives on',
      wholeNumber,
    )
    .option('--tx-queue-size <entries>', 'entries of the rings that a guest sends on', wholeNumber)
    .option('--packed', 'offer packed rings')
    .option('--mtu <bytes>', 'MTU of the network', wholeNumber)
    .option('--reconnect <seconds>', 'a QEMU that is client connects again so soon', wholeNumber)
    .option('--vcpus <number>', 'CPUs of the guest', wholeNumber)
    .option('--memory <MiB>', 'memory of the guest', wholeNumber)
    .option('--hugepages', "hugepages for the guest's memory, in place of a memfd")
    .addHelpText(
      'after',
      examples(
        'vswitch vif render port.json',
        'vswitch vif render port.json --as libvirt --queues 2 --rx-queue-size 1024',
        'virsh dumpxml vm1 | vswitch vif render - --as vswitch',
      ),
    )
    .action(async (file: string, _options, command: Command) =>
      (await import('./vif.js')).render(file, command.optsWithGlobals()),
    )
  addPlugCommands(reading)
  addInspect(vif, setExitCode)
  addMigrate(vif, setExitCode)
}

function addPlugCommands(reading: (usage: string, description: string) => Command): void {
  const plugging = (name: 'plug' | 'unplug', description: string, help: string) =>
    reading(`${name} <file>`, description)
      .option('--ovsdb <remote>', 'unix:/path or tcp:host:port (default: where ovs-vsctl looks)')
      .option('--bridge <name>', 'the bridge, in place of the one that the file names')
      .option('--mtu <bytes>', 'MTU of the network', wholeNumber)
      .option('--timeout <seconds>', 'how long ovs-vswitchd may take', positive(0.1), 10)
      .option('--verbose', 'print the transactions')
      .addHelpText('after', help)
      .action(async (file: string, _options, command: Command) =>
        (await import('./vif-plug.js'))[name](file, command.optsWithGlobals()),
      )
  plugging(
    'plug',
    'make the ports of a file ports of Open vSwitch, in one transaction each',
    `
Ports are as os-vif's plugin 'ovs' (vhostuser_ovs_plug) makes them. Doing it again changes nothing; what
differs is changed. Whatever fails, ovs-vswitchd's own errors too, is taken back.
${examples(
  'openstack port show -f json PORT | vswitch vif plug - --bridge br-int',
  'vswitch vif plug port.json --ovsdb tcp:127.0.0.1:6640',
)}`,
  )
  plugging(
    'unplug',
    'remove the ports of a file from Open vSwitch',
    examples('openstack port show -f json PORT | vswitch vif unplug - --bridge br-int'),
  )
}

function addInspect(vif: Command, setExitCode: (code: number) => void): void {
  printing(
    vif,
    'inspect',
    'look at this host: who listens, who is connected, and what does not fit',
  )
    .option('--connect <uri>', 'libvirt, as of `virsh --connect` (default: qemu:///system)')
    .option(
      '--ovsdb <remote>',
      'database of Open vSwitch: unix:/path or tcp:host:port (default: as ovs-vsctl)',
    )
    .addHelpText(
      'after',
      `
Reads libvirt, command lines and logs of QEMU, OVS, the switch at the admin socket, the kernel's
sockets, and owners and modes. Whatever is missing or may not be read is told, and left out; as
root nothing is. Exit code 1 if anything is an error, else 0.
${examples('sudo vswitch vif inspect', 'vswitch vif inspect --json')}`,
    )
    .action(async (_options, command: Command) => {
      setExitCode(await (await import('./vif-inspect.js')).inspect(command.optsWithGlobals()))
    })
}

function addMigrate(vif: Command, setExitCode: (code: number) => void): void {
  const migrate = group(
    vif,
    'migrate',
    'have QEMU listen in place of the switch: from dpdkvhostuser to dpdkvhostuserclient',
    'vswitch vif migrate plan --ovs',
    'vswitch vif migrate run vm1 --ovs',
    'vswitch vif migrate undo --ovs',
  )
  const migrating = (usage: string, description: string) =>
    printing(migrate, usage, description)
      .option('--ovs', 'the ports are those of Open vSwitch (default: of the running vswitch)')
      .option('--ovsdb <remote>', 'database of Open vSwitch: unix:/path or tcp:host:port')
      .option('--socket-folder <folder>', "where OVS makes the sockets of 'dpdkvhostuser' ports")
      .option('--connect <uri>', 'libvirt, as of `virsh --connect`')
      .option('--journal <file>', 'how far it is, and what was before', JOURNAL)
  const planning = (command: Command) =>
    command
      .option('--folder <folder>', "QEMU's sockets (default: /var/lib/vhost_sockets)")
      .option('--group <name>', 'the group that shares them (default: hugetlbfs)')
      .option('--gid <number>', 'its number, if it is to be made (default: 42477)', wholeNumber)
      .option('--owner <name>', "owner of the folder (default: the user of libvirt's qemu.conf)")
      .option('--mode <octal>', 'permissions of the folder (default: 3775)', octal)
  const carryingOut = (command: Command) =>
    command
      .option('--stop-timeout <seconds>', 'how long a guest may take to end', wholeNumber)
      .option('--force', 'end a guest that does not end in time, as a loss of power does')

  planning(migrating('plan [vm...]', 'say what would be done, and change nothing'))
    .addHelpText(
      'after',
      examples('vswitch vif migrate plan', 'vswitch vif migrate plan --ovs --json'),
    )
    .action(async (vms: string[], _options, command: Command) =>
      setExitCode(await (await import('./vif-migrate.js')).plan(vms, command.optsWithGlobals())),
    )

  carryingOut(planning(migrating('run [vm...]', 'carry it out, with a check after each step')))
    .option('--resume', 'go on with the migration of the journal')
    .addHelpText(
      'after',
      `
A step that fails has what was done to the same machine undone. The journal stays for \`undo\`.
${examples('vswitch vif migrate run vm1', 'vswitch vif migrate run --ovs --resume')}`,
    )
    .action(async (vms: string[], _options, command: Command) =>
      (await import('./vif-migrate.js')).run(vms, command.optsWithGlobals()),
    )

  carryingOut(migrating('undo', 'put everything back as the journal has it'))
    .addHelpText('after', examples('vswitch vif migrate undo --ovs'))
    .action(async (_options, command: Command) =>
      (await import('./vif-migrate.js')).undo(command.optsWithGlobals()),
    )
}

const JOURNAL = '/var/lib/vswitch/vif-migrate.json'

function octal(text: string): number {
  if (/^[0-7]{3,4}$/.test(text)) return Number.parseInt(text, 8)
  throw new InvalidArgumentError('Give permissions such as 3775.')
}

function addAgent(program: Command, setExitCode: (code: number) => void): void {
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
      setExitCode(await (await import('./agent.js')).agent(command.optsWithGlobals()))
    })
}

/** A subcommand of subcommands; by itself it prints its help. */
function group(program: Command, name: string, description: string, ...lines: string[]): Command {
  return program
    .command(name)
    .description(description)
    .addHelpText('after', examples(...lines))
}
