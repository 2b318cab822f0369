import type { LcoreCounters, PortCounters } from '../../src/counters/counters.js'
import type { RunningSwitch, Work } from '../contender.js'
import { droppedBy } from '../own/dropped.js'
import { PausedInterval } from '../paused-interval.js'
import type { Setup } from '../setup.js'
import { VswitchProcess } from './process.js'
import { NORMAL, VSWITCH_PORTS, type VswitchRole } from './roles.js'

/** What a frame has beside its MTU. */
const ETHERNET_BYTES = 14

/** What it said of itself at one time. */
interface Totals {
  readonly at: number
  readonly lcores: readonly LcoreCounters[]
  readonly ports: readonly PortCounters[]
}

/** `vswitch run` with a configuration of its own, asked over its admin socket. */
export class VswitchSwitch extends VswitchProcess implements RunningSwitch {
  readonly #role: VswitchRole
  readonly #scraping: PausedInterval | undefined
  #before: Totals | undefined

  constructor(setup: Setup, role: VswitchRole = NORMAL) {
    const { burst, frameBytes, sockets, cpus, memory, lcoreCpus = [cpus.switch] } = setup
    super(setup, {
      datapath: {
        memory: memory.kind,
        memoryMiB: memory.mib,
        mtu: Math.max(1500, frameBytes - ETHERNET_BYTES),
      },
      // testpmd never sleeps either.
      lcores: lcoreCpus.map((cpu, i) => ({ name: `lcore${i}`, cpu, burst, idle: 'spin' })),
      bridges: [{ name: 'br0', ...role.bridge }],
      ports: sockets.map((path, i) => ({
        name: VSWITCH_PORTS[i],
        type: 'dpdkvhostuserclient',
        path,
        ...role.ports?.[i],
      })),
    })
    this.#role = role
    if (role.scrapeMs === undefined) return
    // Its failure is that of the process.
    const scrape = () => void this.client.metrics().catch(() => {})
    this.#scraping = new PausedInterval(scrape, role.scrapeMs)
  }

  async begin(): Promise<void> {
    this.resumed()
  }

  /** It is to be scraped as often as it would be if it had never been stopped, and not whenever it goes on. */
  stopping(): void {
    this.#scraping?.pause()
  }

  resumed(): void {
    this.#scraping?.resume()
  }

  async countCycles(): Promise<void> {
    this.#before = await this.#totals()
  }

  async work(): Promise<Work> {
    const before = this.#before
    if (before === undefined) throw new Error('countCycles comes first')
    const now = await this.#totals()
    const since = (key: 'polls' | 'emptyPolls' | 'busyCycles' | 'totalCycles') =>
      sum(now.lcores.map((one) => one[key])) - sum(before.lcores.map((one) => one[key]))
    const frames = framesOf(now.ports) - framesOf(before.ports)
    const bursts = since('polls') - since('emptyPolls')
    return {
      frames,
      busyCycles: since('busyCycles'),
      cyclesPerSecond: (1000 * since('totalCycles')) / (now.at - before.at),
      dropped: droppedBy(now.ports) - droppedBy(before.ports),
      burst: bursts === 0 ? undefined : frames / bursts,
    }
  }

  override [Symbol.asyncDispose](): Promise<void> {
    this.stopping()
    return super[Symbol.asyncDispose]()
  }

  async #totals(): Promise<Totals> {
    await this.#checkDeciding()
    // At the same time, because what they tell is put in proportion.
    const [lcores, { ports }] = await Promise.all([this.client.lcores(), this.client.stats()])
    const at = performance.now()
    if (lcores.length === 0) throw new Error('the lcore of vswitch has ended')
    return { at, lcores: lcores.map(({ counters }) => counters), ports: Object.values(ports) }
  }

  /**
   * The load is meant to have one address on each port that stays there; and rules are to be what decides, all of them.
   */
  async #checkDeciding(): Promise<void> {
    const [bridge] = (await this.client.show()).bridges
    const { decides, rules, macs } = bridge ?? {}
    const { flows } = this.#role.bridge
    const expected = flows === undefined ? 'normal' : 'flows'
    if (decides !== expected || rules !== (flows?.length ?? 0))
      throw new Error(`${decides} with ${rules} rules decides in vswitch, not ${expected}`)
    if (this.#role.learns && (macs?.size !== 2 || macs.moves !== 0))
      throw new Error(`vswitch knows ${macs?.size} addresses and saw ${macs?.moves} move, not 2, 0`)
  }
}

function framesOf(ports: readonly PortCounters[]): number {
  return sum(ports.map(({ rx }) => rx.frames))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
