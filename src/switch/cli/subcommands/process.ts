import { type Command, Option } from 'commander'
import { examples, printing } from './words.js'

export function addProcessCommands(program: Command, setExitCode: (code: number) => void): void {
  program
    .command('run <file>')
    .description('run a switch in the foreground, as a configuration says')
    .option('--watch', 'reload whenever the configuration, or a file that it names, changes')
    .option('--user <user[:group]>', 'once it runs, go on as that user instead of root')
    .addHelpText(
      'after',
      `
The admin socket is the one of the configuration, unless --socket or VSWITCH_SOCKET names one.
SIGHUP reloads the configuration. SIGTERM and SIGINT end the switch, a second one at once.
${examples('vswitch run vswitch.yaml', 'vswitch run vswitch.yaml --watch --socket /tmp/admin.sock')}`,
    )
    .action(async (file: string, { watch, user }: { watch?: boolean; user?: string }) => {
      // Nothing has been read yet that could be read again; to end by it would be the default.
      process.on('SIGHUP', () => {})
      const { run } = await import('../../service/run.js')
      const isGiven = program.getOptionValueSource('socket') !== 'default'
      const socket = isGiven ? (program.opts().socket as string) : undefined
      setExitCode(await run(file, { watch: watch ?? false, socket, user }))
    })

  printing(program, 'check <file>', 'check a configuration; name all its problems')
    .addHelpText(
      'after',
      examples('vswitch check vswitch.yaml', 'vswitch check vswitch.yaml --json'),
    )
    .action(async (file: string, options: { json?: boolean }) => {
      setExitCode(await (await import('../process.js')).check(file, options))
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
      setExitCode(await (await import('../doctor.js')).doctor(file, command.optsWithGlobals()))
    })

  program
    .command('schema')
    .description('print the JSON Schema of configurations, for editors')
    .addHelpText('after', examples('vswitch schema > vswitch.schema.json'))
    .action(async () => (await import('../process.js')).schema())
}
