/** Bits of an address that the root looks at. */
const ROOT_BITS = 16

/** Bits that each node below it looks at; a node of 16 words is one cache line. */
const NODE_BITS = 4
const NODE = 1 << NODE_BITS

/** A rule that matches on the first bits of an address. */
export interface Prefix {
  /** Signed, with no bits after the prefix. */
  readonly address: number
  /** 0 to 32. */
  readonly bits: number
  readonly rule: number
  /** Of prefixes that both match, the one with the greater order counts. */
  readonly order: number
}

/**
 * Which rule has an address: a trie of 16 bits and then four at a time, where every leaf knows the rule that wins, so
 * that nothing is compared on the way down. A leaf holds the rule's index plus one (0: none), an inner place the
 * complement of a node's number.
 */
export class PrefixTable {
  readonly root = new Int32Array(1 << ROOT_BITS)
  nodes = new Int32Array(NODE * 1024)
  #nodesInUse = 0
  #free: number[] = []
  readonly #prefixes = new Map<number, Prefix>()

  get size(): number {
    return this.#prefixes.size
  }

  has(rule: number): boolean {
    return this.#prefixes.has(rule)
  }

  add(prefix: Prefix): void {
    this.#prefixes.set(prefix.rule, prefix)
    this.#paint(prefix)
  }

  delete(rule: number): void {
    const gone = this.#prefixes.get(rule)
    if (gone === undefined) return
    this.#prefixes.delete(rule)
    this.#clear(gone)
    for (const other of this.#prefixes.values()) {
      const bits = Math.min(other.bits, gone.bits)
      if (!sameStart(other.address, gone.address, bits)) continue
      // Of one that was around it, only the part that was cleared has to come back.
      this.#paint(
        other.bits < gone.bits ? { ...gone, rule: other.rule, order: other.order } : other,
      )
    }
  }

  /** The rule of an address, or -1. */
  find(address: number): number {
    let place = this.root[address >>> ROOT_BITS] as number
    for (let shift = ROOT_BITS - NODE_BITS; place < 0; shift -= NODE_BITS)
      place = this.nodes[(~place << NODE_BITS) + ((address >>> shift) & (NODE - 1))] as number
    return place - 1
  }

  #paint({ address, bits, rule, order }: Prefix): void {
    if (bits <= ROOT_BITS) {
      const first = address >>> ROOT_BITS
      for (let i = first; i < first + 2 ** (ROOT_BITS - bits); i++)
        this.#raise(this.root, i, rule, order)
      return
    }
    let node = this.#under(this.root, address >>> ROOT_BITS)
    for (let below = ROOT_BITS + NODE_BITS; ; below += NODE_BITS) {
      const at = (node << NODE_BITS) + ((address >>> (32 - below)) & (NODE - 1))
      if (bits <= below) {
        for (let i = at; i < at + 2 ** (below - bits); i++) this.#raise(undefined, i, rule, order)
        return
      }
      node = this.#under(undefined, at)
    }
  }

  /** Gives a place, and all below it, to a rule of that order, where no greater one has it. */
  #raise(root: Int32Array | undefined, at: number, rule: number, order: number): void {
    const array = root ?? this.nodes
    const place = array[at] as number
    if (place < 0) {
      const first = ~place << NODE_BITS
      for (let i = first; i < first + NODE; i++) this.#raise(undefined, i, rule, order)
    } else if (place === 0 || (this.#prefixes.get(place - 1)?.order ?? -1) < order) {
      array[at] = rule + 1
    }
  }

  /** Empties the part that a prefix covers, and gives its nodes back. */
  #clear({ address, bits }: Prefix): void {
    let array: Int32Array = this.root
    let at = address >>> ROOT_BITS
    let below = ROOT_BITS
    while (bits > below) {
      const place = array[at] as number
      if (place >= 0) break
      below += NODE_BITS
      array = this.nodes
      at = (~place << NODE_BITS) + ((address >>> (32 - below)) & (NODE - 1))
    }
    for (let i = at; i < at + 2 ** Math.max(0, below - bits); i++) this.#empty(array, i)
  }

  #empty(array: Int32Array, at: number): void {
    const place = array[at] as number
    array[at] = 0
    if (place >= 0) return
    const first = ~place << NODE_BITS
    for (let i = first; i < first + NODE; i++) this.#empty(this.nodes, i)
    this.#free.push(~place)
  }

  /** The node below a place; one that is made begins as what was there. */
  #under(root: Int32Array | undefined, at: number): number {
    const place = (root ?? this.nodes)[at] as number
    if (place < 0) return ~place
    const node = this.#free.pop() ?? this.#nodesInUse++
    if ((node + 1) << NODE_BITS > this.nodes.length) {
      const grown = new Int32Array(this.nodes.length * 2)
      grown.set(this.nodes)
      this.nodes = grown
    }
    this.nodes.fill(place, node << NODE_BITS, (node + 1) << NODE_BITS)
    const array = root ?? this.nodes
    array[at] = ~node
    return node
  }
}

function sameStart(one: number, other: number, bits: number): boolean {
  return bits === 0 || (one ^ other) >>> (32 - bits) === 0
}

/** Length of a prefix mask, or -1 for a mask of another form. */
export function prefixBits(mask: number): number {
  const bits = Math.clz32(~mask)
  return bits === 32 || mask << bits === 0 ? bits : -1
}
