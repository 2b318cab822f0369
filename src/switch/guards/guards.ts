import { type Burst, DROP, MAX_PORTS } from 'dpdk-vhost/programs/program'
import { SubBurst } from 'dpdk-vhost/programs/sub-burst'
import { BucketTime } from 'dpdk-vhost/qos'
import { SEVERAL } from '../bridge/bridge.js'
import type { AttachmentSpec, MirrorSpec } from '../spec.js'
import { type FrameLoops, frameLoops, payloadOf } from './frame-loops.js'
import { Counter, countDrops, Direction, portWords } from './memory.js'
import { Mirroring } from './mirroring.js'
import { Mirrors } from './mirrors.js'
import { egressPolicer, ingressPolicer, type PortPolicer } from './policers.js'
import { PortSecurity } from './port-security.js'

export { type GuardDrops, newGuardMemory, readGuardCounters, resetGuardPort } from './memory.js'
export { newMirrorCounters, readMirrorCounters } from './mirror-counters.js'

/** What a port has, as bits. */
const POLICED = 1
const SECURED = 2
const MIRRORED = 4
const MIRROR_OUTPUT = 8

/**
 * What happens before and after a bridge decides: policing, port security, mirrors. One for each bridge and lcore; the
 * lcores of a bridge share its memory.
 *
 * ```ts
 * if (!guards.active) decide(burst)
 * else {
 *   const passed = guards.ingress(burst)
 *   if (passed.count > 0) decide(passed)
 *   guards.egress(burst)
 * }
 * ```
 *
 * Around `Program.idle` it is the same, with the burst of no frames. When `decide` throws, call `burst.dropAll()`
 * instead of `egress`.
 */
export class Guards {
  readonly #words: Int32Array
  readonly #frames = new SubBurst()
  readonly #time = new BucketTime()
  /** Whether `#frames` are open. */
  #isSub = false
  #active = false
  #loops: FrameLoops | undefined
  #loopsOf: Burst | undefined
  /** What is to be done with frames received on a port, by port id. */
  readonly #onReceived = new Uint8Array(MAX_PORTS)
  /** What is to be done with frames sent to a port. */
  readonly #onSent = new Uint8Array(MAX_PORTS)
  #looksAtSent = false
  readonly #ingress: (PortPolicer | undefined)[] = []
  readonly #egress: (PortPolicer | undefined)[] = []
  readonly #security: (PortSecurity | undefined)[] = []
  /** Ports whose egress policers were at work on this burst. */
  readonly #open = new Uint16Array(MAX_PORTS)
  readonly #isOpen = new Uint8Array(MAX_PORTS)
  #openCount = 0
  /** What they dropped of it, by port id. */
  readonly #policed = new Uint32Array(MAX_PORTS)
  #mirroring: Mirroring | undefined
  readonly #beforeFlush = (burst: Burst) => {
    this.#inherit()
    this.#guardCopies(burst)
    // Copies for mirrors may fill the list again; what is in it then was seen to.
    burst.beforeFlush = undefined
    this.#mirroring?.sendSelected(burst, false)
    burst.beforeFlush = this.#beforeFlush
  }

  /** @param memory - from {@link newGuardMemory} */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory)
  }

  /** Whether there is anything to do. If not, `ingress` and `egress` need not be called. */
  get active(): boolean {
    return this.#active
  }

  /**
   * Puts these settings in place of those before; between two bursts. Buckets stay as full as they are.
   *
   * @param ports - ports of the bridge by id
   * @param ids - their ids by name; mirrors of ports that are not there wait for them
   * @param mirrorCounters - from {@link newMirrorCounters}, by the names of mirrors
   * @throws ConfigError or RangeError for settings that cannot be; then those before stay in force
   */
  configure(
    ports: ReadonlyMap<number, AttachmentSpec>,
    ids: ReadonlyMap<string, number>,
    mirrors: readonly MirrorSpec[],
    mirrorCounters: ReadonlyMap<string, SharedArrayBuffer> = new Map(),
  ): void {
    const compiled = new Mirrors(ports, ids, mirrors, mirrorCounters)
    const security = new Map<number, PortSecurity>()
    const ingress = new Map<number, PortPolicer>()
    const egress = new Map<number, PortPolicer>()
    for (const [id, port] of ports) {
      const at = portWords(id)
      const taken = ingressPolicer(this.#words, at + Direction.ingress, port)
      const given = egressPolicer(this.#words, at + Direction.egress, port)
      if (taken !== undefined) ingress.set(id, taken)
      if (given !== undefined) egress.set(id, given)
      if (port.portSecurity !== undefined) security.set(id, new PortSecurity(port.portSecurity))
    }

    this.#closeEgress()
    const police = (burst: Burst, index: number, port: number) => this.#police(burst, index, port)
    this.#mirroring = compiled.count > 0 ? new Mirroring(compiled, police) : undefined
    this.#active = false
    this.#looksAtSent = false
    for (let id = 0; id < MAX_PORTS; id++) {
      const isOutput = compiled.isOutput[id] === 1 ? MIRROR_OUTPUT : 0
      this.#ingress[id] = ingress.get(id)
      this.#egress[id] = egress.get(id)
      this.#security[id] = security.get(id)
      const received =
        isOutput |
        (ingress.has(id) ? POLICED : 0) |
        (security.has(id) ? SECURED : 0) |
        (compiled.received[id] !== 0 ? MIRRORED : 0)
      const sent =
        isOutput | (egress.has(id) ? POLICED : 0) | (compiled.sent[id] !== 0 ? MIRRORED : 0)
      this.#onReceived[id] = received
      this.#onSent[id] = sent
      if (received !== 0 || sent !== 0) this.#active = true
      if (sent !== 0) this.#looksAtSent = true
    }
  }

  /**
   * Before the decision.
   *
   * @returns what is to be decided: the burst itself where all of it is, else a burst of those frames that pass, perhaps
   *   of none
   */
  ingress(burst: Burst): Burst {
    this.#isSub = false
    this.#time.set(burst.now)
    if (this.#loopsOf !== burst) {
      this.#loops = frameLoops(burst)
      this.#loopsOf = burst
    }
    // A decision that threw leaves all this behind.
    if (this.#openCount > 0) this.#closeEgress()
    this.#mirroring?.begin()
    if (this.#looksAtSent) burst.beforeFlush = this.#beforeFlush
    const { inPort, count } = burst
    const todo = this.#onReceived[inPort] as number
    if (todo === 0 || count === 0) return burst

    const frames = this.#frames
    if ((todo & MIRROR_OUTPUT) !== 0) frames.begin()
    else if (this.#select(burst, todo)) return burst
    if (frames.count === count && this.#mirroring?.hasReceived !== true) return burst
    this.#isSub = true
    return frames.open(burst)
  }

  /**
   * After the decision, on the real burst: carries it over from the burst that `ingress` gave, then polices and mirrors
   * what is sent. Copies that leave early because their list is full are seen to before they do.
   *
   * @param onlyVerdict - that of all frames, where that is known, and that they are those received, as long as they were; else
   *   {@link SEVERAL}
   */
  egress(burst: Burst, onlyVerdict: number = SEVERAL): void {
    if (this.#isSub) {
      this.#inherit()
      this.#frames.close()
      this.#isSub = false
    }
    if (this.#looksAtSent) {
      if (onlyVerdict === SEVERAL) this.#guardVerdicts(burst)
      else this.#guardVerdict(burst, onlyVerdict, 0, burst.total, burst.payload)
      if (burst.copyCount > 0) this.#guardCopies(burst)
      // From here on there are no verdicts but those that were seen to, and what is sent is for mirrors.
      burst.beforeFlush = undefined
    }
    this.#mirroring?.finish(burst)
    if (this.#openCount > 0) this.#closeEgress()
  }

  /** Adds the frames that may pass to the sub-burst, or says that all may and nothing else is to be done with them. */
  #select(burst: Burst, todo: number): boolean {
    const { inPort, count } = burst
    const security = this.#security[inPort]
    let policer = this.#ingress[inPort]
    if (policer !== undefined) {
      const bytes = burst.payload
      if (policer.passAll(this.#time, bytes, count)) policer = undefined
      else policer.open(this.#time, bytes, count)
    }
    let policed = 0
    let refused = 0
    let first = 0
    if (policer === undefined && (todo & MIRRORED) === 0) {
      first = security === undefined ? count : this.#allowedFirst(burst, security)
      if (first === count) return true
    }
    this.#frames.begin()
    for (let i = 0; i < first; i++) this.#frames.add(i)
    for (let i = first; i < count; i++) {
      if (policer !== undefined && !policer.pass(payloadOf(burst.length[i] as number))) {
        policed++
        continue
      }
      if ((todo & MIRRORED) !== 0) this.#mirroring?.receive(burst, i)
      if (security !== undefined && !security.allows(burst, i)) refused++
      else this.#frames.add(i)
    }
    policer?.close()
    if (policed > 0) countDrops(this.#words, inPort, Counter.ingressPoliced, policed)
    if (refused > 0) countDrops(this.#words, inPort, Counter.portSecurity, refused)
    return false
  }

  /** How many frames from the first on port security allows; of what the lcore found to be allowed, nothing is looked at again. */
  #allowedFirst(burst: Burst, security: PortSecurity): number {
    const { count } = burst
    const known = burst.expected(security.tag)
    if (known === count) return count
    const first = security.allowedFirst(burst, this.#loops as FrameLoops, known, count)
    security.expect(burst)
    return first
  }

  #inherit(): void {
    if (this.#isSub) this.#mirroring?.inherit(this.#frames)
  }

  #guardVerdicts(burst: Burst): void {
    const { total } = burst
    const loops = this.#loops as FrameLoops
    const { run } = loops
    let from = 0
    while (from < total) {
      const end = loops.endOfRun(from, total)
      this.#guardVerdict(burst, run.port, from, end, run.payload)
      from = end
    }
  }

  /** Sees to the frames from `from` to `end`, of so many bytes as policers count them, which have the same verdict. */
  #guardVerdict(burst: Burst, port: number, from: number, end: number, payload: number): void {
    const todo = port < 0 ? 0 : (this.#onSent[port] as number)
    if (todo === 0) return
    const isPaid =
      todo === POLICED &&
      (this.#egress[port] as PortPolicer).passAll(this.#time, payload, end - from)
    if (!isPaid) this.#guardRun(burst, port, from, end)
  }

  /** Sees to each of the frames from `from` to `end`, which go to the same port. */
  #guardRun(burst: Burst, port: number, from: number, end: number): void {
    const { outPort } = burst
    for (let i = from; i < end; i++) {
      if (!this.#maySend(burst, i, port)) outPort[i] = DROP
    }
  }

  #guardCopies(burst: Burst): void {
    const { copyFrame, copyPort, copyCount } = burst
    let kept = 0
    for (let i = 0; i < copyCount; i++) {
      const frame = copyFrame[i] as number
      const port = copyPort[i] as number
      if (this.#onSent[port] && !this.#maySend(burst, frame, port)) continue
      copyFrame[kept] = frame
      copyPort[kept] = port
      kept++
    }
    burst.truncateCopies(kept)
  }

  /** Whether frame `index` may go to `port`; notes the mirrors that take it there. */
  #maySend(burst: Burst, index: number, port: number): boolean {
    const todo = this.#onSent[port] as number
    if ((todo & MIRROR_OUTPUT) !== 0) return false
    // No frame: the datapath counts it.
    if (index >= burst.total) return true
    if (!this.#police(burst, index, port)) return false
    if ((todo & MIRRORED) !== 0) this.#mirroring?.select(burst, index, port)
    return true
  }

  #police(burst: Burst, index: number, port: number): boolean {
    const policer = this.#egress[port]
    if (policer === undefined) return true
    if (this.#isOpen[port] === 0) {
      this.#isOpen[port] = 1
      this.#open[this.#openCount++] = port
      policer.open(this.#time, 0, 0)
    }
    if (policer.pass(payloadOf(burst.length[index] as number))) return true
    this.#policed[port] = (this.#policed[port] as number) + 1
    return false
  }

  /** Ends the work of egress policers on a burst. */
  #closeEgress(): void {
    for (let i = 0; i < this.#openCount; i++) {
      const port = this.#open[i] as number
      const policed = this.#policed[port] as number
      this.#egress[port]?.close()
      if (policed > 0) countDrops(this.#words, port, Counter.egressPoliced, policed)
      this.#policed[port] = this.#isOpen[port] = 0
    }
    this.#openCount = 0
  }
}
