import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { VirtualMachine } from '../testkit/index.js'
import type { Stage } from './stage.js'
import { askVswitch, VswitchProcess } from './vswitch-process.js'
import { Wire } from './wire.js'

const UDP_PORT = 5000
const INTERVAL_MS = 20
/** Frames that tcpdump has to see before the switch is killed, and again afterwards. */
const FRAMES = 100
/** Every so many a line is shown. */
const SHOWN = 25
const LIMIT_MS = 30_000

/** What tcpdump in the guest saw. */
export interface WireResult {
  /** Frames before the switch was killed. */
  readonly before: number
  /** Frames after it was started again. */
  readonly after: number
  /** From the start of the second switch process to the first frame after it. */
  readonly resumeMs: number
}

/**
 * Client mode as the articles on it test it: traffic from a port `dpdk` goes by one flow to a guest, whose tcpdump shows
 * it; the switch is killed, and comes back; tcpdump shows the traffic again.
 *
 * @param guest - has the program tcpdump, and a socket that no switch is connected to
 */
export async function wireDemo(stage: Stage, guest: VirtualMachine): Promise<WireResult> {
  const { screen } = stage
  const wire = await Wire.create(guest.spec.mac)
  stage.atEnd(() => wire.remove())
  const config = stage.file('vswitch.yaml')
  const admin = stage.file('admin.sock')
  writeFileSync(config, configuration(wire.port, guest.spec.socket, admin))

  let running = startVswitch(stage, config, wire)
  await guest.waitForLink(true)
  for (const line of (await askVswitch(admin, 'flows')).trimEnd().split('\n')) {
    screen.line(`  ${screen.dim(line.trim())}`)
  }
  const dump = new GuestTcpdump(stage, guest)
  wire.send(UDP_PORT, INTERVAL_MS)
  await dump.seen(FRAMES, running)

  await running.kill()
  screen.line(`  process ${running.pid} ${screen.bad('killed')}`)
  const before = dump.count
  running = startVswitch(stage, config, wire)
  await dump.seen(before + FRAMES, running)
  // Lines from before the end may still have been on their way: it is the longest silence that tells.
  const resumeMs = dump.longestGapEndedAt - running.startedAt
  screen.line(`  ${screen.good(`tcpdump saw frames ${resumeMs} ms after the new process started`)}`)
  await dump.stop()
  await running.kill()
  return { before, after: dump.count - before, resumeMs }
}

function startVswitch(stage: Stage, config: string, wire: Wire): VswitchProcess {
  const started = new VswitchProcess(config, (...words) => wire.command(...words))
  stage.atEnd(() => started.kill())
  stage.screen.line(`  process ${started.pid} ${stage.screen.good('vswitch run')}`)
  return started
}

function configuration(iface: string, socket: string, admin: string): string {
  return `# vswitch run: a NIC on one side, a virtual machine on the other.
bridges:
  - name: br0
    flows:
      - in_port=dpdk0,actions=output:vhost0
ports:
  - { name: dpdk0, type: dpdk, devargs: 'net_af_packet0,iface=${iface}' }
  - { name: vhost0, type: dpdkvhostuserclient, path: ${JSON.stringify(socket)} }
admin: { socket: ${JSON.stringify(admin)} }
`
}

/** tcpdump in the guest, watched from outside. */
class GuestTcpdump {
  count = 0
  /** When the frame was seen that ended the longest time without one, in milliseconds since the epoch. */
  longestGapEndedAt = 0
  #longestGap = 0
  #lastAt = 0
  readonly #abort = new AbortController()
  readonly #done: Promise<unknown>
  #failure: Error | undefined

  constructor({ screen, signal }: Stage, guest: VirtualMachine) {
    const command = `tcpdump -Z root -l -n -i eth0 udp port ${UDP_PORT}`
    const onLine = (line: string) => {
      if (!line.includes(' UDP, ')) return
      if (this.count++ % SHOWN === 0) screen.line(`  ${screen.dim(guest.spec.name)}  ${line}`)
      this.#saw(Date.now())
    }
    const stop = AbortSignal.any([signal, this.#abort.signal])
    this.#done = guest.run(command, { onLine, signal: stop, timeoutMs: 2 * LIMIT_MS }).then(
      ({ output }) => {
        this.#failure = new Error(`tcpdump ended in the guest: ${output.trim()}`)
      },
      (error: Error) => {
        this.#failure = error
      },
    )
  }

  #saw(now: number): void {
    const gap = this.#lastAt === 0 ? 0 : now - this.#lastAt
    this.#lastAt = now
    if (gap <= this.#longestGap) return
    this.#longestGap = gap
    this.longestGapEndedAt = now
  }

  /** Resolves when it has seen that many frames in all. */
  async seen(count: number, through: VswitchProcess): Promise<void> {
    const end = Date.now() + LIMIT_MS
    while (this.count < count) {
      through.check()
      if (this.#failure !== undefined) throw this.#failure
      if (Date.now() > end) {
        throw new Error(`tcpdump saw ${this.count} frames in ${LIMIT_MS / 1000} s, not ${count}`)
      }
      await delay(2)
    }
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#done
  }
}
