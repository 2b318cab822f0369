// TypeScript's DataView has a type parameter that its constructor does not know of.
const View = DataView as new (memory: ArrayBuffer) => DataView

/** A DataView that throws when anything outside of one frame is read. */
export class GuardedView extends View {
  #start: number
  #end: number

  constructor(memory: ArrayBuffer, start: number, length: number) {
    super(memory)
    this.#start = start
    this.#end = start + length
  }

  override getUint8(at: number): number {
    this.#check(at, 1)
    return super.getUint8(at)
  }

  override getUint16(at: number, little?: boolean): number {
    this.#check(at, 2)
    return super.getUint16(at, little)
  }

  override getUint32(at: number, little?: boolean): number {
    this.#check(at, 4)
    return super.getUint32(at, little)
  }

  override getInt32(at: number, little?: boolean): number {
    this.#check(at, 4)
    return super.getInt32(at, little)
  }

  #check(at: number, bytes: number): void {
    if (at >= this.#start && at + bytes <= this.#end) return
    throw new Error(
      `read ${bytes} bytes at ${at}, outside of the frame from ${this.#start} to ${this.#end}`,
    )
  }
}
