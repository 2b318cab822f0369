/**
 * The frames that most guests send, known by few loads.
 *
 * @packageDocumentation
 */

/** The shortest plain frame: headers of Ethernet, IPv4 and UDP. */
export const PLAIN_LENGTH = 42

const ETHERNET = 14
const IPV4 = 20
/** Type of IPv4, in the lower half of the word with the end of the source MAC. */
const TYPE = 0x0800
/** Version 4 and a header of 20 bytes. */
const VERSION_AND_LENGTH = 0x45
/** In the word with them: the bits that mark a fragment, and the protocol. */
const FRAGMENT_AND_PROTOCOL = 0x3fff_00ff
const TCP = 6
const UDP = 17
const DHCP_CLIENT = 68

/**
 * Whether a frame of at least {@link PLAIN_LENGTH} bytes is UDP, but not to clients of DHCP, or TCP, over IPv4, without tags,
 * IPv4 options or fragments and with lengths that do not contradict each other: all that port security has to know of it
 * besides its source. Of other frames, some may be right as well.
 */
export function isPlain(view: DataView, at: number, bytes: number): boolean {
  const lengths = view.getInt32(at + 14)
  const total = lengths & 0xffff
  if (
    view.getUint16(at + 12) !== TYPE ||
    lengths >>> 24 !== VERSION_AND_LENGTH ||
    total > bytes - ETHERNET
  )
    return false
  const kind = view.getInt32(at + 20) & FRAGMENT_AND_PROTOCOL
  if (kind === UDP) {
    const ports = view.getInt32(at + 36)
    const length = ports & 0xffff
    return ports >>> 16 !== DHCP_CLIENT && length >= 8 && length <= total - IPV4
  }
  if (kind !== TCP || total < 2 * IPV4) return false
  const header = (view.getUint8(at + 46) >>> 4) << 2
  return header >= 20 && header <= total - IPV4
}
