import { parseArgs } from 'node:util'

/** What the demo was asked for. */
export interface DemoOptions {
  readonly json: boolean
  readonly vm: boolean
  readonly help: boolean
}

export const HELP = `Usage: npm run demo -- [options]

Starts a switch written in TypeScript and two guests on its vhost-user ports, has them ping each
other, shows what the switch forwards, kills it with SIGKILL, starts it again, and measures how
long the traffic stood still. Needs neither hugepages nor root.

  --vm     two virtual machines running Linux instead of two test-kit hosts, then vswitch between
           a veth pair and one of them; needs root, and installs QEMU, a kernel, busybox and
           tcpdump if they are missing
  --json   the last line of stdout is one JSON object; what is shown otherwise goes to stderr:
           {"ok":true,"pings":{"sent":N,"answered":N},"frames":N,"mpps":X,"resumeMs":X,"lost":N}
             frames    switched while rates were shown
             mpps      million frames a second, of 64 bytes (--vm: as large as the guests send)
             resumeMs  from the start of the second switch process to the first frame it brought,
                       in the slower direction
             lost      frames that were due while the switch was away, or later, and never came
             tcpdump   --vm: {"before":N,"after":N,"resumeMs":N}, frames that tcpdump in a guest saw before
                       vswitch was killed and afterwards, and how soon the first
           with "ok":false there is a "reason"
  --help   this text

Exit status: 0, or 1 when something did not work, or 130 after Ctrl-C.`

/** @throws TypeError naming what is not an option */
export function readOptions(args: string[]): DemoOptions {
  const flag = { type: 'boolean', default: false } as const
  return parseArgs({ args, options: { json: flag, vm: flag, help: flag } }).values
}
