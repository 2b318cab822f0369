/**
 * Who plain frames of a port are expected from: lcores look for those while the frames are in the cache anyway, so that a
 * program need not look at them itself.
 *
 * @packageDocumentation
 */

/** Most ports; `MAX_PORTS`, which would make this module import the one that needs it. */
const PORTS = 1024

/** Words of one source. The native side has the same (`native/lcore/expected_source.h`). */
const WORDS = 16

/** Places of words in a source. All but the tag are as they are in memory, in a frame's order of bytes. */
const V4 = 0
const V6 = 4
const NOT_TO = 14
const TAG = 15

/** Words that say who frames over either version of IP come from. */
const V4_WORDS = 4
const V6_WORDS = 10

/**
 * Who the plain frames of each port come from, as a program expects it, and how many of a burst did: those need no further
 * look. What becomes of them, and of all others, is up to the program.
 *
 * Plain frames are UDP and TCP over IP without VLAN tags, IP options, extension headers or fragments, whose lengths contradict
 * neither each other nor the frame's.
 *
 * | words of a source | over IPv4 | over IPv6 |
 * |---|---|---|
 * | octets 0 to 3 of the source MAC | 0 | 0 |
 * | octets 4 and 5, and the EtherType | 1 | 1 |
 * | the source address, in it the bits of the mask alone | 2 | 2 to 5 |
 * | the mask | 3 | 6 to 9 |
 *
 * They are of this lcore: each looks for its own.
 */
export class ExpectedSources {
  /** Words of a source over IPv4. */
  static readonly V4_WORDS = V4_WORDS
  /** Words of a source over IPv6. */
  static readonly V6_WORDS = V6_WORDS
  /** Words of memory for the sources of all ports. */
  static readonly WORDS = PORTS * WORDS

  readonly #words: Int32Array
  readonly #bytes: DataView

  /** @param words - shared with the lcore, {@link WORDS} of them */
  constructor(words: Int32Array) {
    this.#words = words
    this.#bytes = new DataView(words.buffer, words.byteOffset, words.byteLength)
  }

  /**
   * From the next burst on, looks for plain frames of a port from either of two sources, in place of those before.
   *
   * @param tag - not 0; what {@link Burst.expected} asks for, so that nobody takes the frames that another expected for its own
   * @param v4 - {@link V4_WORDS} words; of an EtherType that is not IPv4's, none is found
   * @param v6 - {@link V6_WORDS} words, likewise
   * @param notToV4 - UDP port that no such frame over IPv4 goes to
   * @param notToV6 - the same over IPv6
   * @throws RangeError for a port id or tag that cannot be
   */
  expect(
    port: number,
    tag: number,
    v4: Int32Array,
    v6: Int32Array,
    notToV4: number,
    notToV6: number,
  ): void {
    if (!(port >= 0 && port < PORTS && tag !== 0))
      throw new RangeError(`port ${port} cannot have the tag ${tag}`)
    const at = port * WORDS
    const words = this.#words
    for (let i = 0; i < V4_WORDS; i++) words[at + V4 + i] = v4[i] as number
    for (let i = 0; i < V6_WORDS; i++) words[at + V6 + i] = v6[i] as number
    const ports = 4 * (at + NOT_TO)
    this.#bytes.setUint16(ports, notToV4)
    this.#bytes.setUint16(ports + 2, notToV6)
    words[at + TAG] = tag
  }
}
