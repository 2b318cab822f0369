/**
 * VLAN tags (IEEE 802.1Q, 9.3 to 9.6): four bytes between the source address and the type.
 *
 * ```
 *  0      2                     4
 *  | TPID | PCP(3) DEI(1) VID(12) |
 * ```
 *
 * The accessors' `at` is the offset of the tag: `l2 + 12` for the outer one, `l2 + 16` for the next.
 *
 * @packageDocumentation
 */
import { EtherType } from './ethernet.js'

/** Bytes of a tag. */
export const LENGTH = 4

/** Where a frame's first tag is, from the start of the frame. */
export const OFFSET = 12

/** What {@link push} and {@link pop} need of a burst. */
export interface MovableFrames {
  readonly view: DataView
  readonly offset: Uint32Array
  readonly length: Uint32Array
}

/** Whether a type field announces a tag. */
export function isTag(etherType: number): boolean {
  return etherType === EtherType.vlan || etherType === EtherType.serviceVlan
}

/** Tag protocol identifier. */
export function tpid(view: DataView, at: number): number {
  return view.getUint16(at)
}

/** Tag control information: PCP, DEI and VID in one. */
export function tci(view: DataView, at: number): number {
  return view.getUint16(at + 2)
}

/** Sets the tag control information. */
export function setTci(view: DataView, at: number, value: number): void {
  view.setUint16(at + 2, value)
}

/** VLAN identifier, 0 to 4095; 0 is a tag for its priority only, 4095 is reserved. */
export function vid(view: DataView, at: number): number {
  return view.getUint16(at + 2) & 0xfff
}

/** Sets the VLAN identifier and leaves priority and DEI. */
export function setVid(view: DataView, at: number, id: number): void {
  view.setUint16(at + 2, (view.getUint16(at + 2) & 0xf000) | (id & 0xfff))
}

/** Priority code point, 0 to 7. */
export function pcp(view: DataView, at: number): number {
  return view.getUint8(at + 2) >>> 5
}

/** Sets the priority and leaves the rest. */
export function setPcp(view: DataView, at: number, priority: number): void {
  view.setUint8(at + 2, (view.getUint8(at + 2) & 0x1f) | ((priority & 7) << 5))
}

/** Drop eligible indicator. */
export function dei(view: DataView, at: number): boolean {
  return (view.getUint8(at + 2) & 0x10) !== 0
}

/** Tag control information out of its parts. */
export function makeTci(id: number, priority = 0, dropEligible = false): number {
  return ((priority & 7) << 13) | (dropEligible ? 0x1000 : 0) | (id & 0xfff)
}

/**
 * Puts a tag on frame `index`, outside of those it has, by moving the addresses four bytes into the headroom.
 *
 * A frame has headroom for 32 tags. One that is pushed further is dropped by the datapath, but may have
 * overwritten the end of its neighbour in packet memory before that; a program that pushes onto frames which come
 * round again limits the number itself.
 *
 * @returns whether there was an Ethernet header to put the tag into
 */
export function push(
  frames: MovableFrames,
  index: number,
  value: number,
  type: number = EtherType.vlan,
): boolean {
  const { view, offset, length } = frames
  const from = offset[index] as number
  const bytes = length[index] as number
  if (bytes < 14 || from < LENGTH) return false
  const to = from - LENGTH
  view.setUint32(to, view.getUint32(from))
  view.setUint32(to + 4, view.getUint32(from + 4))
  view.setUint32(to + 8, view.getUint32(from + 8))
  view.setUint16(to + 12, type)
  view.setUint16(to + 14, value)
  offset[index] = to
  length[index] = bytes + LENGTH
  return true
}

/**
 * Takes the outer tag off frame `index`.
 *
 * @returns whether it had one
 */
export function pop(frames: MovableFrames, index: number): boolean {
  const { view, offset, length } = frames
  const from = offset[index] as number
  const bytes = length[index] as number
  if (bytes < 14 + LENGTH || !isTag(view.getUint16(from + OFFSET))) return false
  const to = from + LENGTH
  view.setUint32(to + 8, view.getUint32(from + 8))
  view.setUint32(to + 4, view.getUint32(from + 4))
  view.setUint32(to, view.getUint32(from))
  offset[index] = to
  length[index] = bytes - LENGTH
  return true
}
