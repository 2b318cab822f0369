const [QUOTE, BACKSLASH] = ['"', '\\'].map((text) => text.charCodeAt(0))
const OPEN = new Set(['{', '['].map((text) => text.charCodeAt(0)))
const CLOSE = new Set(['}', ']'].map((text) => text.charCodeAt(0)))

/** Takes apart a stream of JSON objects with nothing, or white space, between them (RFC 7047, 4). */
export class JsonFramer {
  #parts: Buffer[] = []
  #length = 0
  #depth = 0
  #isString = false
  #isEscaped = false

  /** @param maxLength - longest object in bytes */
  constructor(readonly maxLength = 64 * 1024 * 1024) {}

  /**
   * The objects that end with these bytes.
   *
   * @throws Error when they are no JSON objects, or one is too long
   */
  push(bytes: Buffer): unknown[] {
    const documents: unknown[] = []
    let start = 0
    for (let i = 0; i < bytes.length; i++) {
      if (!this.#isEndAt(bytes[i] as number)) continue
      this.#parts.push(bytes.subarray(start, i + 1))
      documents.push(JSON.parse(Buffer.concat(this.#parts).toString('utf8')))
      this.#parts = []
      this.#length = 0
      start = i + 1
    }
    const rest = bytes.subarray(start)
    // What is outside of an object is white space, or nothing that could become one.
    if (this.#depth <= 0 && rest.toString('latin1').trim() !== '') {
      throw new SyntaxError(`${JSON.stringify(rest.toString('utf8', 0, 40))} begins no JSON object`)
    }
    if (rest.length > 0) this.#parts.push(rest)
    this.#length += rest.length
    if (this.#length > this.maxLength) throw new RangeError(`more than ${this.maxLength} bytes`)
    return documents
  }

  #isEndAt(byte: number): boolean {
    if (this.#isString) {
      if (this.#isEscaped) this.#isEscaped = false
      else if (byte === BACKSLASH) this.#isEscaped = true
      else if (byte === QUOTE) this.#isString = false
    } else if (byte === QUOTE) this.#isString = true
    else if (OPEN.has(byte)) this.#depth++
    else if (CLOSE.has(byte)) return --this.#depth === 0
    return false
  }
}
