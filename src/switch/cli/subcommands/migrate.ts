import type { Command } from 'commander'
import { examples, group, octal, printing, wholeNumber } from './words.js'

const JOURNAL = '/var/lib/vswitch/vif-migrate.json'

export function addMigrate(vif: Command, setExitCode: (code: number) => void): void {
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
      setExitCode(await (await import('../vif-migrate.js')).plan(vms, command.optsWithGlobals())),
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
      (await import('../vif-migrate.js')).run(vms, command.optsWithGlobals()),
    )

  carryingOut(migrating('undo', 'put everything back as the journal has it'))
    .addHelpText('after', examples('vswitch vif migrate undo --ovs'))
    .action(async (_options, command: Command) =>
      (await import('../vif-migrate.js')).undo(command.optsWithGlobals()),
    )
}
