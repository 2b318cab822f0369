#pragma once

#include <cstdint>

namespace dpdk_vhost {

// Who a program expects the plain frames of a port from, so that it need not look at those itself.
// Plain: UDP or TCP over IP without tags, options, extension headers or fragments, with lengths
// that do not contradict each other or the frame's. The program decides what follows from that.
//
// Words are as src/burst/expected-sources.ts has them; addresses, types and ports as in a frame. It
// is a part of BurstBlock: whatever is written here decides which frames are found, and no more.
struct alignas(64) ExpectedSource {
  uint64_t mac_and_type_v4 = 0;  // octets 6 to 13
  uint32_t address_v4 = 0;       // of the masked source
  uint32_t mask_v4 = 0;
  uint32_t mac_and_type_v6[2] = {};
  uint32_t address_v6[4] = {};
  uint32_t mask_v6[4] = {};
  uint16_t not_to_v4 = 0;  // UDP port that no plain frame goes to
  uint16_t not_to_v6 = 0;
  uint32_t tag = 0;  // told with what was found; 0: nothing is expected
};
static_assert(sizeof(ExpectedSource) == 64);

// How many frames, from the first on, are plain ones from there. `base` is that of packet memory,
// which has `kExpectedBytes` behind each offset, however short the frame is.
uint32_t count_expected(const ExpectedSource& source, const uint8_t* base, const uint32_t* offset,
                        const uint32_t* length, uint32_t count);

// Ethernet, IPv6, and TCP up to the length of its header.
constexpr uint32_t kExpectedBytes = 14 + 40 + 16;

}  // namespace dpdk_vhost
