import { type Command, Option } from 'commander'
import { examples, wholeNumber } from './words.js'

export function addCapture(program: Command): void {
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
      (await import('../capture.js')).capture(ports, command.optsWithGlobals()),
    )
}
