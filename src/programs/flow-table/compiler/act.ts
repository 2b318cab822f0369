import type { Action, PortReference } from '../actions.js'
import { Other } from '../entry.js'
import { SLOTS, slot } from '../fields.js'
import type { Term } from '../match.js'
import type { Used } from './extraction.js'
import { isExact, literal, variable } from './names.js'

/** How code that acts is to be written. */
export interface ActOptions {
  readonly used: Used
  /** Slots that some rule matches on: the others need not be kept up to date. */
  readonly matched: { has(slot: number): boolean }
  /** A number as code: itself, or where it is to be found. */
  operand(value: number): string
  /** The rule's index as code. */
  readonly rule: string
  portOf(port: PortReference): number
  /** Label of the block of the table. */
  readonly label: string
}

type Pending = { readonly to: 'in_port' | 'flood' | 'normal' } | { readonly port: string }

/** The end of a frame's way. */
const DONE = 'continue frames'

/**
 * Code of the actions of one rule. Outputs are held back until the bytes of the frame are about to change, or for
 * good: a frame that goes to one place, changed or not, costs one store.
 */
export class ActionCoder {
  readonly #options: ActOptions
  readonly #lines: string[] = []
  #pending: Pending[] = []

  constructor(options: ActOptions) {
    this.#options = options
  }

  /** The code; it leaves for another table, or for the next frame. */
  code(actions: readonly Action[]): string {
    for (const action of actions) {
      if (action.type === 'goto_table') {
        this.#beforeChange()
        this.#lines.push(`next = ${literal(action.table)}`, `break ${this.#options.label}`)
        return this.#lines.join('\n')
      }
      this.#act(action)
    }
    this.#lines.push(...this.#release('i'), DONE)
    return this.#lines.join('\n')
  }

  #act(action: Action): void {
    const { operand, rule, used } = this.#options
    switch (action.type) {
      case 'output':
        this.#pending.push({ port: operand(this.#options.portOf(action.port)) })
        break
      case 'in_port':
      case 'flood':
      case 'normal':
        this.#pending.push({ to: action.type })
        break
      case 'controller':
        this.#lines.push(`around.packetIn(b, i, ${rule}, ${operand(action.maxLength)})`)
        break
      case 'meter':
        this.#lines.push(`if (!around.meter(${operand(action.id)}, size)) {`)
        this.#lines.push(note(Other.metered), DONE, '}')
        break
      case 'dec_ttl':
        this.#decrementTtl()
        break
      case 'push_vlan':
        this.#beforeChange()
        used.tags = true
        this.#lines.push(push(literal(action.tpid)))
        break
      case 'pop_vlan':
        this.#beforeChange()
        used.tags = true
        this.#lines.push(
          'if (vlan_tci !== 0 && popTag(b, i)) { vlan_tci = inner; inner = 0; at = offset[i] }',
        )
        break
      case 'set_vlan':
        this.#beforeChange()
        used.tags = true
        this.#lines.push(`if (vlan_tci === 0) { ${push('0x8100')} }`)
        this.#setTag(action.value, action.mask)
        break
      case 'set':
        this.#beforeChange()
        for (const term of action.terms) this.#set(action.field.name, term)
    }
  }

  #setTag(value: number, mask: number): void {
    const { operand, used } = this.#options
    used.tags = true
    const v = operand(value)
    const m = literal(mask)
    this.#lines.push(
      `if (vlan_tci !== 0) { vlan_tci = (vlan_tci & ~${m}) | ${v}; store16(view, at + 14, ${v}, ${m}) }`,
    )
  }

  #decrementTtl(): void {
    const { used } = this.#options
    this.#beforeChange()
    used.headers()
    used.slot(slot('nw_ttl'))
    this.#lines.push(
      // One whose header is cut off has none, which is not enough to go on.
      'if (dl_type === 0x800 || dl_type === 0x86dd) {',
      `if (nw_ttl <= 1) { ${note(Other.expired)}; ${DONE} }`,
      'nw_ttl -= 1',
      'storeTtl(view, l3, dl_type, nw_ttl)',
      '}',
    )
  }

  #set(field: string, { slot: target, value, mask }: Term): void {
    const { operand, used, matched } = this.#options
    const name = SLOTS[target] as string
    const v = operand(value)
    const m = literal(mask)
    // The value that later conditions see, and dec_ttl.
    const keep =
      matched.has(target) || name === 'nw_ttl'
        ? [
            isExact(target, mask)
              ? `${used.slot(target)} = ${v}`
              : `${used.slot(target)} = (${variable(target)} & ~${m}) | ${v}`,
          ]
        : []
    const when = (test: string, ...lines: string[]) => {
      used.headers()
      this.#lines.push(`if (${test}) {`, ...lines, ...keep, '}')
    }
    const protocol = () => used.slot(slot('nw_proto'))
    const isArp = 'l3 >= 0 && (dl_type === 0x806 || dl_type === 0x8035)'
    const isIp = 'l3 >= 0 && (dl_type === 0x800 || dl_type === 0x86dd)'
    const [source] = /_src|_s[ph]a/.exec(name) ?? []

    if (name === 'vlan_tci') this.#setTag(value, mask)
    else if (/^(metadata|reg)/.test(name)) this.#lines.push(...keep)
    else if (name.startsWith('dl_')) {
      const at = (source ? 6 : 0) + (name.endsWith('_hi') ? 0 : 2)
      const width = name.endsWith('_hi') ? 16 : 32
      this.#lines.push(`store${width}(view, at + ${at}, ${v}, ${m})`, ...keep)
    } else if (name === 'nw_proto') when(isArp, `store16(view, l3 + 6, ${v}, 0xffff)`)
    else if (name.startsWith('arp_')) {
      const at = (source ? 8 : 18) + (name.endsWith('_hi') ? 0 : 2)
      when(isArp, `store${name.endsWith('_hi') ? 16 : 32}(view, l3 + ${at}, ${v}, ${m})`)
    } else if (name === 'nw_src' || name === 'nw_dst') {
      if (field.startsWith('arp'))
        when(isArp, `store32(view, l3 + ${source ? 14 : 24}, ${v}, ${m})`)
      else {
        const rest = `l4, ${protocol()}, ${source ? 12 : 16}, ${v}, ${m}`
        when('l3 >= 0 && dl_type === 0x800', `storeIpv4(view, l3, ${rest})`)
      }
    } else if (name === 'nw_tos') when(isIp, `storeTos(view, l3, dl_type, ${v}, ${m})`)
    else if (name === 'nw_ttl') when(isIp, `storeTtl(view, l3, dl_type, ${v})`)
    else if (name === 'ipv6_label')
      when('l3 >= 0 && dl_type === 0x86dd', `store32(view, l3, ${v}, ${m})`)
    else if (name.startsWith('ipv6_')) {
      const at = (source ? 8 : 24) + 4 * Number(name.at(-1))
      const store = `storeIpv6(view, l3 + ${at}, l4, ${protocol()}, ${v}, ${m})`
      when('l3 >= 0 && dl_type === 0x86dd', store)
    } else if (field.startsWith('icmp')) {
      const isIcmp = `l4 >= 0 && ${protocol()} === (dl_type === 0x86dd ? 58 : 1)`
      when(isIcmp, `storeIcmp(view, l4, ${source ? 0 : 1}, ${v})`)
    } else {
      const hasPorts = `l4 >= 0 && (${protocol()} === 6 || nw_proto === 17)`
      when(hasPorts, `storePort(view, l4, nw_proto, ${source ? 0 : 2}, ${v}, ${m})`)
    }
  }

  /** Where the frame goes until now it goes with the bytes it has now. */
  #beforeChange(): void {
    if (this.#pending.length === 0) return
    this.#lines.push('{', 'const d = b.duplicate(i)', `if (d < 0) ${note(Other.lost)}`, 'else {')
    this.#lines.push(...this.#release('d'), '}', '}')
    this.#pending = []
  }

  #release(frame: string): string[] {
    const [first] = this.#pending
    if (this.#pending.length === 1 && first !== undefined && 'port' in first) {
      if (/^\w+$/.test(first.port))
        return [`outPort[${frame}] = in_port === ${first.port} ? -1 : ${first.port}`]
      return [`{ const to = ${first.port}; outPort[${frame}] = in_port === to ? -1 : to }`]
    }
    return this.#pending.map((one) => {
      if ('port' in one) return `output(b, ${frame}, ${one.port})`
      if (one.to === 'in_port') return `sendTo(b, ${frame}, in_port)`
      return one.to === 'flood'
        ? `outputAll(b, ${frame}, around.members)`
        : `around.normal(b, ${frame})`
    })
  }
}

function push(tpid: string): string {
  const pushed = 'inner = vlan_tci; vlan_tci = 0x1000; at = offset[i]'
  return `if (inner === 0 && pushTag(b, i, 0, ${tpid})) { ${pushed} }`
}

/** Counts a frame. */
export function note(counter: number): string {
  return `other[${literal(counter)}] += 1`
}
