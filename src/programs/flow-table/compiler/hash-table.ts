/** Least number of places. */
const SMALLEST = 16

/** One part of the hash of a key. Compiled code has the same, unrolled. */
export function mix(hash: number, word: number): number {
  return Math.imul((hash ^ (hash >>> 15)) + word, 0x9e3779b1)
}

/** The last step of a hash: its upper bits are the best ones. */
export function finish(hash: number): number {
  return hash ^ (hash >>> 16)
}

/**
 * Which rule has a key: open addressing over one array, where a place is the rule's index plus one (0: free), then
 * the words of the key. At most a third of the places are taken, so that most searches look at one.
 */
export class HashTable {
  /** Words of a place. */
  readonly stride: number
  cells: Int32Array
  /** Places, less one. */
  mask: number
  #size = 0

  /** @param words - of a key */
  constructor(words: number, expected = 0) {
    this.stride = words + 1
    this.mask = SMALLEST - 1
    while ((this.mask + 1) / 3 < expected) this.mask = this.mask * 2 + 1
    this.cells = new Int32Array((this.mask + 1) * this.stride)
  }

  get size(): number {
    return this.#size
  }

  /** Lets a key stand for a rule, in place of the one it stood for. */
  set(key: readonly number[], rule: number): void {
    const at = this.#find(key)
    if (this.cells[at] === 0) {
      if ((this.#size + 1) * 3 > this.mask + 1) {
        this.#grow()
        this.set(key, rule)
        return
      }
      this.#size++
      for (let i = 0; i < key.length; i++) this.cells[at + 1 + i] = key[i] as number
    }
    this.cells[at] = rule + 1
  }

  /** The rule of a key, or -1. */
  get(key: readonly number[]): number {
    return (this.cells[this.#find(key)] as number) - 1
  }

  delete(key: readonly number[]): void {
    const { cells, stride, mask } = this
    let hole = this.#find(key) / stride
    if (cells[hole * stride] === 0) return
    this.#size--
    // Those behind it move up, unless that would put them before the place where a search for them begins.
    for (let at = (hole + 1) & mask; cells[at * stride] !== 0; at = (at + 1) & mask) {
      const home = this.#home(this.#keyAt(at))
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      cells.copyWithin(hole * stride, at * stride, (at + 1) * stride)
      hole = at
    }
    cells.fill(0, hole * stride, (hole + 1) * stride)
  }

  #keyAt(place: number): number[] {
    const at = place * this.stride
    return Array.from(this.cells.subarray(at + 1, at + this.stride))
  }

  #home(key: readonly number[]): number {
    return finish(key.reduce(mix, 0)) & this.mask
  }

  /** Where the key is, or the free place where it would be. */
  #find(key: readonly number[]): number {
    const { cells, stride, mask } = this
    for (let place = this.#home(key); ; place = (place + 1) & mask) {
      const at = place * stride
      if (cells[at] === 0 || key.every((word, i) => cells[at + 1 + i] === word)) return at
    }
  }

  #grow(): void {
    const before = this.cells
    this.mask = this.mask * 2 + 1
    this.cells = new Int32Array((this.mask + 1) * this.stride)
    this.#size = 0
    for (let at = 0; at < before.length; at += this.stride) {
      const rule = before[at] as number
      if (rule !== 0) this.set(Array.from(before.subarray(at + 1, at + this.stride)), rule - 1)
    }
  }
}
