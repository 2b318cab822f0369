import { type Command, Option } from 'commander'
import { addMigrate } from './migrate.js'
import { examples, group, positive, printing, wholeNumber } from './words.js'

/** Written out, so that nothing has to be loaded to say them; a test holds them against the library. */
const sources = ['neutron', 'libvirt', 'qemu', 'ovs-show', 'ovsdb', 'vif']
const artefacts = ['roles', 'vswitch', 'libvirt', 'qemu', 'ovs', 'ovsdb', 'details', 'neutron']

export function addVifCommands(program: Command, setExitCode: (code: number) => void): void {
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
      (await import('../vif.js')).parse(file, command.optsWithGlobals()),
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
      (await import('../vif.js')).render(file, command.optsWithGlobals()),
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
        (await import('../vif-plug.js'))[name](file, command.optsWithGlobals()),
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
      setExitCode(await (await import('../vif-inspect.js')).inspect(command.optsWithGlobals()))
    })
}
