/**
 * The demo's switch, a process of its own: a learning switch with a port on each socket given as an argument. It reports
 * to the demo, and ends with it.
 */
import type { Datapath, Lcore, RxCounters, TxCounters } from 'dpdk-vhost'
import type { SwitchCounters, SwitchReport } from './switch-report.js'

const REPORT_MS = 100

const tell = (report: SwitchReport) => {
  if (process.connected) process.send?.(report)
}

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

try {
  await start(process.argv.slice(2))
} catch (error) {
  tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
}

async function start(sockets: readonly string[]): Promise<void> {
  // Loaded late, so that what keeps the addon from loading can be told.
  const { Datapath, learningSwitch } = await import('dpdk-vhost')
  const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
  tell({ kind: 'open', ...datapath.info })
  datapath.on('port', ({ port, state, time, negotiated }) => {
    const { ring, features = [] } = negotiated ?? {}
    tell({ kind: 'port', port, state, time, ring, features })
  })
  datapath.on('program', ({ error }) => tell({ kind: 'failed', message: error }))
  datapath.on('lcore', ({ lcore, state, reason }) => {
    if (state === 'ended') tell({ kind: 'failed', message: `${lcore} ended: ${reason}` })
  })

  // On this thread, which has nothing else to do: another one takes a tenth of a second to start.
  const lcore = await datapath.run(learningSwitch(), { burst: 64, budgetMicroseconds: 1000 })
  for (const [i, path] of sockets.entries()) {
    await datapath.addPort({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path })
  }
  setInterval(() => tell({ kind: 'counters', ...counters(datapath, lcore) }), REPORT_MS)
}

function counters(datapath: Datapath, lcore: Lcore): SwitchCounters {
  const ports = [...datapath.ports.values()].map((port) => port.counters())
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  return {
    at: performance.now(),
    rxFrames: sum(ports.map(({ rx }) => rx.frames)),
    rxBytes: sum(ports.map(({ rx }) => rx.bytes)),
    txFrames: sum(ports.map(({ tx }) => tx.frames)),
    drops: sum(ports.map(({ rx, tx }) => dropsOf(rx) + dropsOf(tx))),
    busyCycles: lcore.counters().busyCycles,
  }
}

function dropsOf(counters: RxCounters | TxCounters): number {
  return Object.entries(counters).reduce(
    (total, [name, value]) => total + (name.startsWith('dropped') ? value : 0),
    0,
  )
}
