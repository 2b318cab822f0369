/**
 * A bridge: every frame goes to the port on which its destination was last seen as a source in its VLAN, and to all
 * ports of the VLAN when that is not known.
 *
 * @packageDocumentation
 */
import { parseMac } from 'dpdk-vhost/headers'
import { HELD_BACK, HELD_NOW, keyOf, MacTable } from 'dpdk-vhost/programs/mac-table'
import {
  type Burst,
  MAX_PORTS,
  DROP as NOWHERE,
  type PortDirectory,
  type Program,
} from 'dpdk-vhost/programs/program'
import type { BridgeImage, BridgeMemory } from '../image.js'
import type { AttachmentSpec } from '../spec.js'
import { Flooder } from './flood.js'
import { Notices } from './notices.js'
import { isReserved } from './reserved.js'
import { mustChange, retag } from './retag.js'
import { addTo, noteClock, PortCounter, portWords, type State, stateOver } from './state.js'
import { Flood, StormGuard } from './storm.js'
import { VlanPorts, UNTAGGED as WITHOUT_TAG, REFUSED as WRONG } from './vlan-ports.js'

// Constants of this module, because V8 does not make them of imports.
const DROP = NOWHERE
const REFUSED = WRONG
const UNTAGGED = WITHOUT_TAG

/** Bytes of an Ethernet header; shorter frames are dropped. */
const HEADER = 14

/** The type of a tag (0x8100), as a little-endian load gives it. */
const TAG_TYPE = 0x0081

/** Tag control information of a frame that ends within its tag. */
const HALF_TAG = -2

/** Tag control information that no frame has. */
const NO_TCI = -3

/** Verdicts of this program alone: flooded frames, by kind; and below them frames for a port in another form. */
const FLOOD = -2
const CHANGE = -16

/** What {@link Bridge.onlyVerdict} is where it is none. */
export const SEVERAL = -3

/** No verdict yet. */
const UNDECIDED = -0x10000

/** What is remembered of the source of the frame before. */
const NOTHING = 0
/** It may send, and has no tag. */
const PLAIN = 1
const TAGGED = 2
/** Its VLAN is not one of the port. */
const WRONG_VLAN = 3
/** Its address is held on another port. */
const HELD = 4

/** A static entry, as the table takes it. */
interface Static {
  readonly low: number
  readonly key: number
  readonly port: number
}

/** The program. One for each bridge and lcore; the lcores of a bridge share its memory. */
export class Bridge implements Program {
  readonly name = 'bridge'
  readonly #state: State
  readonly #table: MacTable
  readonly #ports = new VlanPorts()
  // Asked for every frame, and so here.
  readonly #untagged = this.#ports.untagged
  readonly #given = this.#ports.given
  readonly #flooder: Flooder
  readonly #storm: StormGuard
  readonly #notices: Notices
  #settings: BridgeImage['settings'] | undefined
  #attachments: BridgeImage['ports'] = {}
  #directory: PortDirectory | undefined
  /** Ports that take part, by id: name and VLANs in one text. */
  readonly #members = new Map<number, string>()
  #statics = new Map<number, Static>()
  #ageing = 300
  #forwardBpdu = false
  #second = 0
  #onlyVerdict = SEVERAL

  constructor({ macs, state }: BridgeMemory) {
    this.#state = stateOver(state)
    this.#table = new MacTable(macs)
    this.#flooder = new Flooder(this.#ports, this.#state)
    this.#storm = new StormGuard(this.#state)
    this.#notices = new Notices(this.#state)
  }

  /** Puts these settings and ports in place of those before; between two bursts. What was learnt on ports that stay as they are is kept. */
  configure(settings: BridgeImage['settings'], ports: BridgeImage['ports']): void {
    this.#settings = settings
    this.#attachments = ports
    this.#ageing = settings.ageing
    this.#forwardBpdu = settings.forwardBpdu
    this.#table.moveLimit = settings.loopGuard
    this.#storm.configure(settings.stormLimit)
    this.#takeIn()
  }

  portsChanged(directory: PortDirectory): void {
    this.#directory = { ids: new Map(directory.ids), names: new Map(directory.names) }
    this.#takeIn()
  }

  /** Verdict that all frames of the last burst got, none of which was changed then, and none made; or {@link SEVERAL}. */
  get onlyVerdict(): number {
    return this.#onlyVerdict
  }

  burst(burst: Burst): void {
    const { view, offset, length, outPort, inPort, count } = burst
    const table = this.#table
    const now = Math.floor(burst.now / 1000)
    if (table.swept !== now || this.#second !== now) this.#keepHouse(burst, now)

    // Frames of one burst mostly have the same addresses, so a frame is first compared with the one before, by the 12
    // bytes of both addresses. What is remembered of that ends with the burst, because between two bursts anything may
    // change.
    let first = 0
    let second = 0
    let third = 0
    let source = NOTHING
    let tci = NO_TCI
    let vlan = REFUSED
    /** The VLAN where {@link keyOf} has it. */
    let vlanKey = 0
    let verdict = UNDECIDED
    let verdicts = 0
    let wrong = 0
    let held = 0
    for (let i = 0; i < count; i++) {
      if ((length[i] as number) < HEADER) {
        verdicts = 2
        continue
      }
      const at = offset[i] as number
      const a = view.getInt32(at, true)
      const b = view.getInt32(at + 4, true)
      const c = view.getInt32(at + 8, true)
      const isTagged = view.getUint16(at + 12, true) === TAG_TYPE
      if (a !== first || b !== second || c !== third || source !== PLAIN || isTagged) {
        const tag = isTagged ? tagOf(burst, i) : UNTAGGED
        const isOther = tag !== tci
        if (isOther) {
          tci = tag
          // `| 0` here and below: a number that came from a call that is not inlined is unpacked at every use.
          vlan = tag === UNTAGGED ? (this.#given[inPort] as number) : this.#vlanOf(inPort, tag) | 0
          vlanKey = vlan << 16
          verdict = UNDECIDED
        }
        if (isOther || c !== third || b >>> 16 !== second >>> 16) {
          if (vlan === REFUSED) {
            source = WRONG_VLAN
          } else {
            const low = (b >>> 16) | (c << 16)
            const high = c >>> 16
            const entry = table.find(low, high | vlanKey)
            source = tci === UNTAGGED ? PLAIN : TAGGED
            if ((entry === 0 || !table.isFresh(entry, inPort, now)) && isStation(low, high)) {
              if (!this.#learn(burst, entry, low, high | vlanKey)) source = HELD
              // The destination of the frame before may be the address just learnt.
              verdict = UNDECIDED
            }
          }
        }
        if (a !== first || b << 16 !== second << 16) verdict = UNDECIDED
        first = a
        second = b
        third = c
        if (source >= WRONG_VLAN) {
          if (source === HELD) held++
          else wrong++
          continue
        }
        if (verdict === UNDECIDED) {
          verdict = this.#verdict(burst, a, b & 0xffff, tci, vlan) | 0
          verdicts = (verdicts + 1) | 0
        }
      }
      if (verdict >= DROP) outPort[i] = verdict
      else this.#sendOtherwise(burst, i, verdict, tci, vlan)
    }
    this.#onlyVerdict =
      verdicts === 1 && (wrong | held) === 0 && verdict >= DROP ? verdict : SEVERAL
    this.#storm.close()
    if (wrong > 0) this.#count(inPort, PortCounter.vlan, wrong)
    if (held > 0) this.#count(inPort, PortCounter.loop, held)
  }

  #vlanOf(port: number, tci: number): number {
    return tci === HALF_TAG ? REFUSED : this.#ports.vlanOf(port, tci)
  }

  /** Port id, `DROP`, or one of this program's own verdicts for a destination. */
  #verdict(burst: Burst, low: number, high: number, tci: number, vlan: number): number {
    const port = this.#table.portOf(low, high | (vlan << 16))
    if (port === burst.inPort) return DROP
    if (port >= 0 && burst.isReady[port] === 1) {
      if (tci === UNTAGGED && this.#untagged[port] === vlan) return port
      const verdict = this.#tagVerdict(port, tci, vlan) | 0
      if (verdict !== FLOOD) return verdict
    }
    return this.#floodVerdict(low, high) | 0
  }

  /**
   * The verdict for a port that a frame may have to change for; `FLOOD` when it does not carry the VLAN. On its own,
   * because V8 inlines no more than so much into {@link burst}, and frames without a tag do not need it.
   */
  #tagVerdict(port: number, tci: number, vlan: number): number {
    const ports = this.#ports
    if (!ports.carries(port, vlan)) return FLOOD
    return mustChange(tci, vlan, ports.isTagged(port, vlan)) ? CHANGE - port : port
  }

  #floodVerdict(low: number, high: number): number {
    if (isReserved(low, high) && !this.#forwardBpdu) return DROP
    if ((low & 1) === 0) return FLOOD - Flood.unknownUnicast
    return FLOOD - (low === -1 && high === 0xffff ? Flood.broadcast : Flood.multicast)
  }

  #sendOtherwise(burst: Burst, index: number, verdict: number, tci: number, vlan: number): void {
    if (verdict <= CHANGE) {
      const port = CHANGE - verdict
      retag(burst, index, tci, vlan, this.#ports.isTagged(port, vlan))
      burst.outPort[index] = port
    } else if (this.#storm.allows(burst, FLOOD - verdict)) {
      this.#flooder.flood(burst, index, tci, vlan)
    } else {
      this.#count(burst.inPort, PortCounter.storm, 1)
    }
  }

  /** Learns where an address is; false when it is held elsewhere. */
  #learn({ inPort, now: ms }: Burst, entry: number, low: number, key: number): boolean {
    const table = this.#table
    const time = Math.floor(ms) | 0
    if (entry !== 0 && table.isHeldBack(entry, inPort, time)) return false
    const before = entry === 0 ? inPort : table.portOf(low, key)
    const result = table.learn(low, key, inPort, Math.floor(ms / 1000), time)
    if (result === HELD_BACK) return false
    if (result === HELD_NOW) {
      const home = table.portOf(low, key)
      this.#notices.flap(low, key, home, home === inPort ? before : inPort)
      return home === inPort
    }
    if (result >= 0 && result !== inPort) this.#notices.move(low, key, result, inPort)
    return true
  }

  #count(port: number, counter: number, frames: number): void {
    addTo(this.#state.words, portWords(port) + counter, frames)
  }

  /** Ages entries, a few in every burst; and what is to be done once a second. */
  #keepHouse(burst: Burst, now: number): void {
    if (this.#table.swept !== now) this.#table.sweep(now, this.#ageing)
    if (this.#second === now) return
    this.#second = now
    noteClock(this.#state, burst.now)
    // A lock left behind by an lcore that was terminated costs the table its entries.
    if (this.#table.statics !== this.#statics.size) this.#putStatics(now)
  }

  /** Makes true what settings and ports say together. */
  #takeIn(): void {
    const { names, ids } = this.#directory ?? {}
    if (names === undefined || ids === undefined || this.#settings === undefined) return
    for (let id = 0; id < MAX_PORTS; id++) this.#takeInPort(id, names.get(id))
    this.#flooder.setMembers([...this.#members.keys()])

    const before = this.#statics
    this.#statics = new Map()
    for (const { mac, vlan, port } of this.#settings.staticMacs) {
      const id = ids.get(port)
      if (id === undefined || !this.#members.has(id)) continue
      const number = parseMac(mac)
      const [low, high] = halves(number)
      this.#statics.set(number * 4096 + vlan, { low, key: keyOf(high, vlan), port: id })
    }
    for (const [which, { low, key }] of before)
      if (!this.#statics.has(which)) this.#table.removeStatic(low, key, this.#second)
    this.#putStatics(this.#second)
  }

  #takeInPort(id: number, name: string | undefined): void {
    const attachment = name === undefined ? undefined : this.#attachments[name]
    const before = this.#members.get(id)
    if (name === undefined || attachment === undefined || this.#isMirrorOutput(name)) {
      if (before !== undefined || this.#table.countOf(id) > 0)
        this.#table.removePort(id, this.#second)
      this.#members.delete(id)
      this.#ports.delete(id)
      return
    }
    // Ids are used again: another port may have the id now.
    const after = describe(name, attachment)
    if (before !== undefined && before !== after) this.#table.removePort(id, this.#second)
    this.#members.set(id, after)
    this.#ports.set(id, attachment)
  }

  #isMirrorOutput(name: string): boolean {
    return this.#settings?.mirrors.some(({ outputPort }) => outputPort === name) ?? false
  }

  #putStatics(now: number): void {
    for (const { low, key, port } of this.#statics.values())
      this.#table.setStatic(low, key, port, now)
  }
}

function tagOf({ view, offset, length }: Burst, index: number): number {
  if ((length[index] as number) < HEADER + 4) return HALF_TAG
  return view.getUint16((offset[index] as number) + HEADER)
}

/** Whether a source address can be that of a station: not a group, and not nothing. */
function isStation(low: number, high: number): boolean {
  return (low & 1) === 0 && (low | high) !== 0
}

/** What a port learnt is good for as long as this stays the same. */
function describe(name: string, { vlanMode, tag, trunks }: AttachmentSpec): string {
  return JSON.stringify([name, vlanMode, tag, trunks])
}

/** Octets 0 to 3 and 4 to 5 of an address, as little-endian loads give them. */
function halves(mac: number): [low: number, high: number] {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt(mac) << 16n)
  return [view.getInt32(0, true), view.getUint16(4, true)]
}
