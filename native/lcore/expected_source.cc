#include "lcore/expected_source.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>

#include <cstring>

#include "constants.h"

namespace dpdk_vhost {
namespace {

// Fields are cut out of wide loads, since the loads are what takes the time.
static_assert(RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN);

constexpr uint32_t kSourceMac = 6;
constexpr uint16_t kIpv4Type = RTE_BE16(0x0800);
constexpr uint16_t kIpv6Type = RTE_BE16(0x86dd);
constexpr int32_t kIpv4Header = 20;
constexpr int32_t kIpv6Header = 40;
constexpr int32_t kUdpHeader = 8;
constexpr int32_t kTcpHeader = 20;
constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;

// Of the first 8 octets of IPv4's header: version and length of the header; and that no fragment
// follows or came before.
constexpr uint64_t kVersion4 = 0x45;
constexpr uint64_t kVersionAndFragment = 0xff | uint64_t{RTE_BE16(0x3fff)} << 48;
constexpr uint32_t kVersion6 = 0x60;

template <typename Word>
inline Word load(const uint8_t* at) {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

inline int32_t to_host(uint64_t word) {
  return __builtin_bswap16(static_cast<uint16_t>(word));
}

// Whether UDP or TCP at `at` has a whole header in the `bytes` that IP tells of, and all of these
// are in the frame, which has `room` for more.
inline bool is_whole(const uint8_t* at, uint8_t protocol, int32_t bytes, int32_t room,
                     uint16_t not_to) {
  if (likely(protocol == kUdp)) {
    const int32_t length = to_host(load<uint16_t>(at + 4));
    return ((length - kUdpHeader) | (bytes - length) | room) >= 0 &&
           load<uint16_t>(at + 2) != not_to;
  }
  const int32_t header = (at[12] >> 4) * 4;
  return protocol == kTcp && ((header - kTcpHeader) | (bytes - header) | room) >= 0;
}

inline bool is_expected_v4(const ExpectedSource& source, const uint8_t* at, uint32_t length) {
  const uint8_t* const ip = at + kEthernetHeader;
  const auto first = load<uint64_t>(ip);
  // One branch for all that is to be equal.
  const uint64_t difference = (load<uint64_t>(at + kSourceMac) ^ source.mac_and_type_v4) |
                              ((load<uint32_t>(ip + 12) & source.mask_v4) ^ source.address_v4) |
                              ((first & kVersionAndFragment) ^ kVersion4);
  if (unlikely(difference != 0)) return false;
  const int32_t whole = to_host(first >> 16);
  const int32_t room = static_cast<int32_t>(length) - static_cast<int32_t>(kEthernetHeader) - whole;
  return is_whole(ip + kIpv4Header, ip[9], whole - kIpv4Header, room, source.not_to_v4);
}

// On its own, so that the other loop stays short.
__attribute__((noinline)) bool is_expected_v6(const ExpectedSource& source, const uint8_t* at,
                                              uint32_t length) {
  const uint8_t* const ip = at + kEthernetHeader;
  uint32_t difference = (load<uint32_t>(at + kSourceMac) ^ source.mac_and_type_v6[0]) |
                        (load<uint32_t>(at + kSourceMac + 4) ^ source.mac_and_type_v6[1]) |
                        ((ip[0] & 0xf0U) ^ kVersion6);
  for (uint32_t i = 0; i < 4; ++i)
    difference |= (load<uint32_t>(ip + 8 + 4 * i) & source.mask_v6[i]) ^ source.address_v6[i];
  if (difference != 0) return false;
  const int32_t payload = to_host(load<uint16_t>(ip + 4));
  const int32_t room =
      static_cast<int32_t>(length) - static_cast<int32_t>(kEthernetHeader) - kIpv6Header - payload;
  return is_whole(ip + kIpv6Header, ip[6], payload, room, source.not_to_v6);
}

}  // namespace

uint32_t count_expected(const ExpectedSource& source, const uint8_t* base, const uint32_t* offset,
                        const uint32_t* length, uint32_t count) {
  // Of a type that is not IP's nothing is expected: a source that was never told has none.
  const bool has_v4 = source.mac_and_type_v4 >> 48 == kIpv4Type;
  const bool has_v6 = source.mac_and_type_v6[1] >> 16 == kIpv6Type;
  uint32_t i = 0;
  for (; i < count; ++i) {
    const uint8_t* const at = base + offset[i];
    if (likely(has_v4) && is_expected_v4(source, at, length[i])) continue;
    if (has_v6 && is_expected_v6(source, at, length[i])) continue;
    break;
  }
  return i;
}

}  // namespace dpdk_vhost
