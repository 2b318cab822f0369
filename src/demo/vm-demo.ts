import { setTimeout as delay } from 'node:timers/promises'
import { VirtualMachine } from '../testkit/index.js'
import { GuestPing } from './guest-ping.js'
import { type Rates, showRates } from './rates.js'
import { type DemoResult, round } from './result.js'
import type { Screen } from './screen.js'
import type { Stage } from './stage.js'
import type { SwitchProcess } from './switch-process.js'
import { wireDemo } from './wire-demo.js'

const ADDRESSES = ['10.0.0.1', '10.0.0.2'] as const
/** Emulated processors on shared cores take their time. */
const BOOT_MS = 90_000
const PORT = 5001
const TRAFFIC_SECONDS = 4
/** Pings while the switch is killed: some to be seen, many to measure by. */
const SHOWN = { count: 25, intervalMs: 200 }
const QUICK = { count: 250, intervalMs: 20 }
/** Pings before the interruption. */
const BEFORE_MS = 1500

type Guests = readonly [VirtualMachine, VirtualMachine]

/** The demo with virtual machines. */
export async function vmDemo(stage: Stage): Promise<DemoResult> {
  const { screen } = stage
  screen.line(screen.bold('A switch written in TypeScript between two virtual machines'))
  screen.title('QEMU listens on two sockets')
  const guests = await startGuests(stage)
  screen.title('The switch starts, and the guests boot')
  const first = await stage.startSwitch()
  await Promise.all(guests.map((guest) => booted(screen, guest)))

  screen.title('Pings')
  const pings = await pingBothWays(stage, guests)
  screen.title(`A TCP stream from guest0 to guest1 through the switch, process ${first.pid}`)
  const rates = await stream(stage, guests, first)
  screen.title('The switch is killed (SIGKILL) and started again while the guests ping')
  const resume = await interrupt(stage, guests, first)
  screen.title('Pings')
  const after = await pingBothWays(stage, guests)
  await stage.stopSwitch()
  screen.title('vswitch run: a veth pair as its NIC, one flow to guest0, tcpdump in the guest')
  const tcpdump = await wireDemo(stage, guests[0])

  const result: DemoResult = {
    pings: { sent: pings.sent + after.sent, answered: pings.answered + after.answered },
    frames: rates.frames,
    mpps: round(rates.mpps, 4),
    resumeMs: round(resume.ms, 1),
    lost: resume.lost,
    tcpdump,
  }
  screen.title('Summary')
  screen.line(`  pings      ${result.pings.answered} of ${result.pings.sent} answered`)
  screen.line(
    `  switched   ${rates.frames.toLocaleString('en')} frames of a TCP stream, ${rates.drops} dropped`,
  )
  screen.line(
    `  restart    traffic was back ${resume.ms.toFixed(0)} ms after the new switch process started; ${resume.lost} pings lost, no guest touched`,
  )
  screen.line(
    `  vswitch    tcpdump in the guest saw ${tcpdump.before} frames, and ${tcpdump.after} more from ${tcpdump.resumeMs} ms after the restart`,
  )
  return result
}

async function startGuests(stage: Stage): Promise<Guests> {
  const { screen, sockets, signal } = stage
  const start = async (i: 0 | 1): Promise<VirtualMachine> => {
    const guest = await VirtualMachine.start({
      name: `guest${i}`,
      socket: sockets[i],
      mac: `52:54:00:00:00:0${i + 1}`,
      ip: `${ADDRESSES[i]}/24`,
      programs: i === 0 ? ['tcpdump'] : [],
      maxLifetimeMs: 240_000,
      signal,
    })
    stage.atEnd(() => guest.close())
    screen.line(
      `  ${guest.spec.name}  ${guest.spec.mac}  ${ADDRESSES[i]}  ${screen.dim(`process ${guest.pid}`)}`,
    )
    return guest
  }
  return Promise.all([start(0), start(1)])
}

async function booted(screen: Screen, guest: VirtualMachine): Promise<void> {
  const { bootMs } = await guest.ready({ timeoutMs: BOOT_MS })
  const { output } = await guest.run('uname -sr')
  screen.line(
    `  ${guest.spec.name} ${screen.good(`runs ${output.trim()}`)} after ${(bootMs / 1000).toFixed(1)} s`,
  )
}

async function pingBothWays(
  { screen, signal }: Stage,
  guests: Guests,
): Promise<{ sent: number; answered: number }> {
  const total = { sent: 0, answered: 0 }
  for (const [i, guest] of guests.entries()) {
    const show = showLines(screen, guest)
    const options = { count: 4, intervalMs: 200 }
    const ping = new GuestPing(guest, ADDRESSES[1 - i] as string, options, signal, show)
    const { sent, answered } = await ping.done
    total.sent += sent
    total.answered += answered
  }
  return total
}

/** A TCP stream for a few seconds. */
async function stream(
  { screen, signal }: Stage,
  [from, to]: Guests,
  sw: SwitchProcess,
): Promise<Rates> {
  const limit = TRAFFIC_SECONDS + 2
  // nc ends with its input, so both get one that lasts.
  const sink = to.run(`sleep ${limit} | timeout ${limit} nc -l -p ${PORT} > /dev/null`, { signal })
  sink.catch(() => {})
  await delay(300, undefined, { signal })
  const source = `timeout ${TRAFFIC_SECONDS} sh -c 'cat /dev/zero | nc ${ADDRESSES[1]} ${PORT}'`
  const sent = from.run(source, { signal })
  const rates = await showRates(screen, 'TCP stream', sw, sent, signal)
  await sink
  return rates
}

async function interrupt(
  stage: Stage,
  guests: Guests,
  first: SwitchProcess,
): Promise<{ ms: number; lost: number }> {
  const { screen, signal } = stage
  const [guest] = guests
  const show = showLines(screen, guest)
  const shown = new GuestPing(guest, ADDRESSES[1], SHOWN, signal, show)
  const quick = guests.map(
    (from, i) => new GuestPing(from, ADDRESSES[1 - i] as string, QUICK, signal),
  )
  await delay(BEFORE_MS, undefined, { signal })
  const killedAt = Date.now()
  await first.kill()
  screen.line(`  process ${first.pid} ${screen.bad('killed')}`)
  const second = await stage.startSwitch()
  screen.line(`  process ${second.pid} ${screen.good('switches')}`)

  const counts = await Promise.all([shown, ...quick].map((ping) => ping.done))
  let ms = 0
  for (const [i, { longestGap }] of quick.entries()) {
    const names = `${guests[i]?.spec.name} to ${guests[1 - i]?.spec.name}`
    if (longestGap === undefined || longestGap.endedAt < killedAt) {
      throw new Error(`${names}: no ping was answered after the restart`)
    }
    const afterStart = longestGap.endedAt - second.startedAt
    ms = Math.max(ms, afterStart)
    screen.line(
      `  ${names}  ${screen.good(`first answer ${afterStart} ms after the new process started`)}`,
    )
    screen.line(`                    ${longestGap.ms} ms after the last one before`)
  }
  return { ms, lost: counts.reduce((sum, { sent, answered }) => sum + sent - answered, 0) }
}

function showLines(screen: Screen, { spec }: VirtualMachine): (line: string) => void {
  return (line) => {
    if (line !== '') screen.line(`  ${screen.dim(spec.name)}  ${line}`)
  }
}
