/**
 * Flow tables in the plainest form: rule after rule, condition after condition, action after action. It says what
 * rules mean; compiled tables are held against it. It allocates.
 *
 * @packageDocumentation
 */
import type { Burst } from '../../burst/burst.js'
import { pop, push } from '../../headers/vlan.js'
import type { Action } from './actions.js'
import { type FlowCounters, type FlowEntry, Other } from './entry.js'
import { type Field, SLOTS, slot } from './fields.js'
import { FlowKey } from './key.js'
import type { Members } from './members.js'
import { output, outputAll, type Surroundings, sendTo } from './send.js'
import {
  store16,
  store32,
  storeIcmp,
  storeIpv4,
  storeIpv6,
  storePort,
  storeTos,
  storeTtl,
} from './store.js'
import { VLAN_PRESENT } from './values.js'

const IN_PORT = slot('in_port')
const DL_TYPE = slot('dl_type')
const NW_PROTO = slot('nw_proto')
const NW_TTL = slot('nw_ttl')
const VLAN_TCI = slot('vlan_tci')

/** Where a frame goes while its bytes stay as they are. */
type Pending = number | 'in_port' | 'flood' | 'normal'

export class Interpreter {
  readonly #entries: () => Iterable<FlowEntry>
  readonly #counters: FlowCounters
  readonly #surroundings: Surroundings
  readonly #key = new FlowKey()

  /** @param entries - the rules of all tables */
  constructor(
    entries: () => Iterable<FlowEntry>,
    counters: FlowCounters,
    surroundings: Surroundings,
  ) {
    this.#entries = entries
    this.#counters = counters
    this.#surroundings = surroundings
  }

  burst(burst: Burst): void {
    this.#surroundings.members.follow(burst)
    for (let i = 0; i < burst.count; i++) this.#frame(burst, i)
  }

  #frame(burst: Burst, index: number): void {
    const size = burst.length[index] as number
    if (size < 14) {
      this.#note(Other.malformed)
      return
    }
    this.#key.extract(burst.view, burst.offset[index] as number, size, burst.inPort)
    const state: FrameState = { burst, index, size, key: this.#key, inner: 0, pending: [] }
    let table: number | undefined = 0
    while (table !== undefined) {
      const entry = this.#lookUp(table)
      if (entry === undefined) {
        this.#note(Other.missed)
        break
      }
      const { rules } = this.#counters
      rules[2 * entry.index] = (rules[2 * entry.index] as number) + 1
      rules[2 * entry.index + 1] = (rules[2 * entry.index + 1] as number) + size
      table = this.#act(state, entry)
    }
    this.#release(state, index)
  }

  #lookUp(table: number): FlowEntry | undefined {
    let best: FlowEntry | undefined
    for (const entry of this.#entries()) {
      if (entry.table !== table || (best !== undefined && best.order > entry.order)) continue
      if (this.#matches(entry)) best = entry
    }
    return best
  }

  #matches({ inPort, terms }: FlowEntry): boolean {
    const { slots } = this.#key
    if (typeof inPort === 'string' && this.#members.portOf(inPort) !== slots[IN_PORT]) return false
    return terms.every(({ slot: at, value, mask }) => ((slots[at] as number) & mask) === value)
  }

  get #members(): Members {
    return this.#surroundings.members
  }

  /** Does what a rule says. Returns the table to go to. */
  #act(state: FrameState, entry: FlowEntry): number | undefined {
    for (const action of entry.actions) {
      switch (action.type) {
        case 'output':
          state.pending.push(this.#members.portOf(action.port))
          break
        case 'in_port':
        case 'flood':
        case 'normal':
          state.pending.push(action.type)
          break
        case 'controller':
          this.#surroundings.packetIn(state.burst, state.index, entry.index, action.maxLength)
          break
        case 'meter':
          if (this.#surroundings.meter(action.id, state.size)) break
          this.#note(Other.metered)
          return undefined
        case 'dec_ttl':
          if (this.#decrementTtl(state)) break
          this.#note(Other.expired)
          return undefined
        case 'goto_table':
          return action.table
        default:
          this.#beforeChange(state)
          change(state, action)
      }
    }
    return undefined
  }

  /** Returns whether the frame may go on. */
  #decrementTtl(state: FrameState): boolean {
    const { slots, l3 } = state.key
    const type = slots[DL_TYPE] as number
    if (type !== 0x0800 && type !== 0x86dd) return true
    // One whose header is cut off has none, which is not enough to go on.
    const ttl = slots[NW_TTL] as number
    if (ttl <= 1) return false
    this.#beforeChange(state)
    slots[NW_TTL] = ttl - 1
    storeTtl(state.burst.view, l3, type, ttl - 1)
    return true
  }

  /** Where the frame goes until now it goes with the bytes it has now. */
  #beforeChange(state: FrameState): void {
    if (state.pending.length === 0) return
    const copy = state.burst.duplicate(state.index)
    if (copy < 0) this.#note(Other.lost)
    else this.#release(state, copy)
    state.pending = []
  }

  #release({ burst, pending }: FrameState, index: number): void {
    for (const where of pending) {
      if (where === 'in_port') sendTo(burst, index, burst.inPort)
      else if (where === 'flood') outputAll(burst, index, this.#members)
      else if (where === 'normal') this.#surroundings.normal(burst, index)
      else output(burst, index, where)
    }
  }

  #note(counter: number): void {
    const { other } = this.#counters
    other[counter] = (other[counter] as number) + 1
  }
}

/** A frame on its way through the tables. */
interface FrameState {
  readonly burst: Burst
  readonly index: number
  readonly size: number
  readonly key: FlowKey
  /** Tag control information of the tag behind the outer one, if that was there before a push. */
  inner: number
  pending: Pending[]
}

/** Actions that change the frame or what is known of it. */
function change(state: FrameState, action: Action): void {
  const { burst, index, key } = state
  const { slots } = key
  switch (action.type) {
    case 'push_vlan':
      pushTag(state, action.tpid)
      break
    case 'pop_vlan':
      if (slots[VLAN_TCI] === 0 || !pop(burst, index)) break
      slots[VLAN_TCI] = state.inner
      state.inner = 0
      break
    case 'set_vlan':
      if (slots[VLAN_TCI] === 0) pushTag(state, 0x8100)
      setTag(state, action.value, action.mask)
      break
    case 'set':
      if (action.field.slots[0] === VLAN_TCI) {
        for (const { value, mask } of action.terms) setTag(state, value, mask)
      } else setField(state, action.field, action.terms)
  }
}

function pushTag(state: FrameState, tpid: number): void {
  const { slots } = state.key
  // As many tags as OVS knows of; also so that no rule can push its way out of the buffer.
  if (state.inner !== 0 || !push(state.burst, state.index, 0, tpid)) return
  state.inner = slots[VLAN_TCI] as number
  slots[VLAN_TCI] = VLAN_PRESENT
}

function setTag({ burst, index, key }: FrameState, value: number, mask: number): void {
  const tci = key.slots[VLAN_TCI] as number
  if (tci === 0) return
  key.slots[VLAN_TCI] = (tci & ~mask) | value
  store16(burst.view, (burst.offset[index] as number) + 14, value, mask)
}

type Terms = (Action & { type: 'set' })['terms']

/** Sets a field that the frame has. */
function setField({ burst, index, key }: FrameState, field: Field, terms: Terms): void {
  const { view } = burst
  const { slots, l3, l4 } = key
  const type = slots[DL_TYPE] as number
  const protocol = slots[NW_PROTO] as number
  const at = burst.offset[index] as number
  const isIpv4 = l3 >= 0 && type === 0x0800
  const isIpv6 = l3 >= 0 && type === 0x86dd
  const isArp = l3 >= 0 && (type === 0x0806 || type === 0x8035)

  for (const { slot: target, value, mask } of terms) {
    const name = SLOTS[target] as string
    let there = true
    switch (name) {
      case 'dl_dst_hi':
      case 'dl_src_hi':
        store16(view, at + (name === 'dl_dst_hi' ? 0 : 6), value, mask)
        break
      case 'dl_dst':
      case 'dl_src':
        store32(view, at + (name === 'dl_dst' ? 2 : 8), value, mask)
        break
      case 'nw_src':
      case 'nw_dst': {
        const first = name === 'nw_src'
        there = field.name.startsWith('arp') ? isArp : isIpv4
        if (!there) break
        if (isArp) store32(view, l3 + (first ? 14 : 24), value, mask)
        else storeIpv4(view, l3, l4, protocol, first ? 12 : 16, value, mask)
        break
      }
      case 'nw_proto':
        there = isArp
        if (there) store16(view, l3 + 6, value, 0xffff)
        break
      case 'arp_sha_hi':
      case 'arp_tha_hi':
        there = isArp
        if (there) store16(view, l3 + (name === 'arp_sha_hi' ? 8 : 18), value, mask)
        break
      case 'arp_sha':
      case 'arp_tha':
        there = isArp
        if (there) store32(view, l3 + (name === 'arp_sha' ? 10 : 20), value, mask)
        break
      case 'nw_tos':
        there = isIpv4 || isIpv6
        if (there) storeTos(view, l3, type, value, mask)
        break
      case 'nw_ttl':
        there = isIpv4 || isIpv6
        if (there) storeTtl(view, l3, type, value)
        break
      case 'ipv6_label':
        there = isIpv6
        if (there) store32(view, l3, value, mask)
        break
      case 'tp_src':
      case 'tp_dst': {
        const place = name === 'tp_src' ? 0 : 1
        const isIcmp = protocol === (isIpv6 ? 58 : 1)
        there =
          l4 >= 0 && (field.name.startsWith('icmp') ? isIcmp : protocol === 6 || protocol === 17)
        if (!there) break
        if (isIcmp) storeIcmp(view, l4, place, value)
        else storePort(view, l4, protocol, 2 * place, value, mask)
        break
      }
      default:
        if (!name.startsWith('ipv6_')) break
        there = isIpv6
        if (there) {
          const word = Number(name.at(-1)) + (name.startsWith('ipv6_src') ? 2 : 6)
          storeIpv6(view, l3 + 4 * word, l4, protocol, value, mask)
        }
    }
    if (there) slots[target] = ((slots[target] as number) & ~mask) | value
  }
}
