import type { Port } from '../../../src/index.js'
import type { TestHost, VirtualMachine } from '../../../src/testkit/index.js'
import { until } from '../../support/loopback.js'
import { SLOW } from './guests.js'

export interface Generate {
  readonly to: TestHost
  /** Frames in all; 0 for no end. Default 0. */
  readonly frames?: number
  /** Frames go out of the first so many tx queues, in turn. Default 1. */
  readonly queues?: number
  /** Frames a second. Default 2000: an emulated processor makes few more. */
  readonly rate?: number
}

/** The Linux kernel's packet generator in a guest. */
export class PacketGenerator {
  /** Resolves when all is sent, or the device is gone; to how many frames the device took. */
  readonly sent: Promise<number>

  private constructor(sent: Promise<number>) {
    this.sent = sent
    // Whoever has the guest killed does not wait for it.
    sent.catch(() => {})
  }

  static async start(guest: VirtualMachine, options: Generate): Promise<PacketGenerator> {
    const { to, frames = 0, queues = 1, rate = 2000 } = options
    const commands = [
      `count ${frames}`,
      'pkt_size 60',
      `ratep ${rate}`,
      `dst_mac ${to.mac}`,
      `dst ${to.addresses[0]}`,
      'queue_map_min 0',
      `queue_map_max ${queues - 1}`,
    ]
    const { exitCode, output } = await guest.run(
      `set -e
       [ -d /proc/net/pktgen ] || insmod /lib/modules/pktgen.ko
       cd /proc/net/pktgen
       echo rem_device_all >kpktgend_0
       echo add_device eth0 >kpktgend_0
       ${commands.map((command) => `echo ${command} >eth0`).join('\n')}`,
      SLOW,
    )
    if (exitCode !== 0) throw new Error(`cannot set up the packet generator: ${output}`)
    const run = 'echo start >/proc/net/pktgen/pgctrl; cat /proc/net/pktgen/eth0'
    return new PacketGenerator(guest.run(run, SLOW).then((result) => framesOf(result.output)))
  }

  /** Resolves when its frames have begun to come in. */
  async flowing(port: Port): Promise<void> {
    const enough = port.counters().rx.frames + 200
    await until('generated frames come in', () => port.counters().rx.frames >= enough, 60_000)
  }
}

function framesOf(output: string): number {
  return Number(/pkts-sofar: (\d+)/.exec(output)?.[1] ?? Number.NaN)
}
