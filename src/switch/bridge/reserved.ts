/**
 * Whether a destination is one that bridges keep to themselves: that of IEEE 802.1D, and those of the protocols that
 * `forward-bpdu` of ovs-vswitchd.conf.db(5) names.
 *
 * @param low - octets 0 to 3, as a little-endian load gives them
 * @param high - octets 4 and 5, likewise
 */
export function isReserved(low: number, high: number): boolean {
  switch (low) {
    // 01:80:c2:00:00:00 to 0f
    case 0x00c28001:
      return (high & 0xf0ff) === 0
    // 00:e0:2b:00:00:00, 04 and 06: EDP and EAPS of Extreme
    case 0x002be000:
      return high === 0 || high === 0x0400 || high === 0x0600
    // 01:00:0c:cc:cc:c0 to cf: CDP, VTP, PVST+, CFM of Cisco
    case 0xcc0c0001 | 0:
      return (high & 0xf0ff) === 0xc0cc
    // 01:00:0c:cd:cd:cd: STP UplinkFast
    case 0xcd0c0001 | 0:
      return high === 0xcdcd
    // 01:00:0c:00:00:00: ISL
    case 0x000c0001:
      return high === 0
    default:
      return false
  }
}
