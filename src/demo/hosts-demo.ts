import { cpus } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { type StreamReport, TestHost } from '../testkit/index.js'
import { type Rates, showRates } from './rates.js'
import { type DemoResult, round } from './result.js'
import type { Screen } from './screen.js'
import type { Stage } from './stage.js'
import type { SwitchProcess } from './switch-process.js'

/** Larger than QEMU's, because three processes take turns on few cores. */
const QUEUE_SIZE = 4096
/** Frames under way from each host: both hosts' fit into every ring. */
const WINDOW = 1900
/** Frames a second from each host while the switch is killed: each millisecond counts ten. */
const STEADY_RATE = 10_000
/** Traffic before and after the interruption. */
const AROUND_MS = 800

/** The demo with hosts of the test kit. */
export async function hostsDemo(stage: Stage): Promise<DemoResult> {
  const { screen, signal } = stage
  screen.line(screen.bold('A switch written in TypeScript between two hosts, over vhost-user'))
  const hosts = await startHosts(stage)
  screen.title('The switch starts')
  const first = await stage.startSwitch()
  await Promise.all(hosts.map((host) => host.linkUp({ timeoutMs: 5000 })))
  describeMachine(screen, first)

  screen.title('Pings')
  const before = await pingBothWays(screen, hosts)

  screen.title(`Frames bouncing between the hosts through the switch, process ${first.pid}`)
  const small = await bounce(stage, hosts, first, 64, 3)
  const large = await bounce(stage, hosts, first, 1514, 2)

  screen.title('The switch is killed (SIGKILL) and started again; nobody tells the hosts')
  const resume = await interrupt(stage, hosts, first)

  screen.title('Pings')
  const after = await pingBothWays(screen, hosts)
  signal.throwIfAborted()

  const result: DemoResult = {
    pings: { sent: before.sent + after.sent, answered: before.answered + after.answered },
    frames: small.frames + large.frames,
    mpps: round(small.mpps, 3),
    resumeMs: round(resume.ms, 1),
    lost: resume.lost,
  }
  summarise(screen, result, small, large)
  return result
}

/** Two hosts, which know nothing of what happens to the switch. */
async function startHosts(stage: Stage): Promise<[TestHost, TestHost]> {
  const { screen, sockets, signal } = stage
  screen.title('Two hosts, each a process that listens on a socket')
  const start = async (i: 0 | 1): Promise<TestHost> => {
    const host = await TestHost.start({
      name: `host${i}`,
      path: sockets[i],
      mac: `02:00:00:00:00:0${i + 1}`,
      ip: `10.0.0.${i + 1}`,
      queueSize: QUEUE_SIZE,
      inOrder: false,
      maxLifetimeMs: 120_000,
      signal,
    })
    stage.atEnd(() => host.close())
    return host
  }
  const hosts = await Promise.all([start(0), start(1)])
  for (const { name, mac, addresses, pid } of hosts) {
    screen.line(`  ${name}  ${mac}  ${addresses.join()}  ${screen.dim(`process ${pid}`)}`)
  }
  return hosts
}

function describeMachine(screen: Screen, { info, pid }: SwitchProcess): void {
  const all = cpus()
  const memory = info?.memory === 'memfd' ? 'no hugepages' : 'hugepages'
  screen.line(
    screen.dim(
      `  process ${pid}, ${info?.dpdkVersion}, node ${process.version}, ${memory}, ${all.length} x ${all[0]?.model ?? 'unknown processor'}`,
    ),
  )
}

async function pingBothWays(
  screen: Screen,
  [a, b]: readonly [TestHost, TestHost],
): Promise<{ sent: number; answered: number }> {
  const total = { sent: 0, answered: 0 }
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const { sent, received, rttMs } = await from.ping(to.addresses[0] as string, {
      count: 5,
      intervalMs: 50,
    })
    total.sent += sent
    total.answered += received
    const { min, median, max } = rttMs
    const times = [min, median, max].map((ms) => ms.toFixed(2)).join(' / ')
    const answered = `${received} of ${sent} answered`
    screen.line(
      `  ${from.name} to ${to.name}  ${received === sent ? screen.good(answered) : screen.bad(answered)}  ${screen.dim(`${times} ms (min / median / max)`)}`,
    )
  }
  return total
}

/** As much traffic as the three processes manage between them: each host has so many frames under way, to the other and back. */
async function bounce(
  { screen, signal }: Stage,
  [a, b]: readonly [TestHost, TestHost],
  sw: SwitchProcess,
  size: number,
  seconds: number,
): Promise<Rates> {
  await Promise.all([a.echo(true), b.echo(true)])
  const options = { size, seconds, window: WINDOW }
  const sent = Promise.all([a.send({ ...options, to: b }), b.send({ ...options, to: a })])
  const rates = await showRates(screen, `${size} bytes`, sw, sent, signal)
  const results = await sent
  // Those still bouncing must not be met by the next round.
  await Promise.all([b.delivery(results[0]), a.delivery(results[1])])
  await Promise.all([a.echo(false), b.echo(false)])
  return rates
}

interface Resume {
  readonly ms: number
  readonly lost: number
}

/** Kills the switch while both hosts send at a steady rate, starts it again, and reads from the numbers what that cost. */
async function interrupt(
  stage: Stage,
  [a, b]: readonly [TestHost, TestHost],
  first: SwitchProcess,
): Promise<Resume> {
  const { screen, signal } = stage
  const directions = await Promise.all(
    [
      { from: a, to: b },
      { from: b, to: a },
    ].map(async ({ from, to }) => ({
      from,
      to,
      sending: await from.startSending({ to, rate: STEADY_RATE }),
    })),
  )
  screen.line(`  both hosts send ${STEADY_RATE.toLocaleString('en')} numbered frames a second`)
  await delay(AROUND_MS, undefined, { signal })

  const killedAt = Date.now()
  await first.kill()
  screen.line(`  process ${first.pid} ${screen.bad('killed')}`)
  const second = await stage.startSwitch()
  screen.line(`  process ${second.pid} ${screen.good('switches')}`)
  const resumed = Promise.all(
    directions.map(({ to, sending }) => gapAfter(to, sending.stream, killedAt, signal)),
  )
  const reports = await resumed
  await delay(AROUND_MS, undefined, { signal })

  let ms = 0
  let lost = 0
  for (const [i, { from, to, sending }] of directions.entries()) {
    const sent = await sending.stop()
    const { skipped } = sent
    const delivery = await to.delivery(sent)
    const { longestGap, corrupted, duplicated } = delivery
    const gap = longestGap ?? reports[i]?.longestGap
    if (gap === undefined) throw new Error(`${to.name} saw no interruption`)
    if (corrupted > 0) throw new Error(`${to.name} received ${corrupted} damaged frames`)
    const afterStart = gap.endedAt - second.startedAt
    ms = Math.max(ms, afterStart)
    // What a host had no time to send was never under way.
    const missing = delivery.lost + skipped.linkDown
    lost += missing
    const due = sent.frames + skipped.linkDown
    const repeated = duplicated > 0 ? `, ${duplicated} came twice` : ''
    screen.line(
      `  ${from.name} to ${to.name}  ${screen.good(`first frame ${afterStart.toFixed(0)} ms after the new process started`)}`,
    )
    screen.line(
      `                  ${gap.ms.toFixed(0)} ms after the last one before; ${missing.toLocaleString('en')} of ${due.toLocaleString('en')} frames missing${repeated}`,
    )
  }
  return { ms, lost }
}

/** Resolves once frames of the stream come again. */
async function gapAfter(
  host: TestHost,
  stream: number,
  since: number,
  signal: AbortSignal,
): Promise<StreamReport> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const report = await host.receivedOf({ stream })
    if ((report.longestGap?.endedAt ?? 0) > since) return report
    if (performance.now() > deadline) {
      throw new Error(`${host.name} received no frame within 10 s of the restart`)
    }
    await delay(20, undefined, { signal })
  }
}

function summarise(screen: Screen, result: DemoResult, small: Rates, large: Rates): void {
  const { pings, resumeMs, lost } = result
  screen.title('Summary')
  screen.line(`  pings      ${pings.answered} of ${pings.sent} answered`)
  screen.line(
    `  switched   ${small.mpps.toFixed(2)} million 64-byte frames a second, ${large.gbps.toFixed(2)} Gbit/s of 1514-byte frames; ${small.drops + large.drops} dropped`,
  )
  screen.line(
    `  restart    traffic was back ${resumeMs.toFixed(0)} ms after the new switch process started; ${lost.toLocaleString('en')} frames missing, no host touched`,
  )
}
