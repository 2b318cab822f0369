#pragma once

#include <cstdint>
#include <cstring>

#include "port/virtio.h"

namespace dpdk_vhost {

// virtio_net_hdr, which is before each frame in a guest's buffer (virtio 1.2, section 5.1.6).
struct NetHeader {
  static constexpr uint32_t kShort = 10;
  static constexpr uint32_t kLong = 12;

  // With any of these features it ends in the number of buffers: as librte has it, to which packed
  // rings are of version 1 whatever the guest says.
  static uint32_t bytes(uint64_t features) {
    constexpr uint64_t kEndsInNumber =
        bit(kVirtioVersion1) | bit(kVirtioNetMrgRxbuf) | bit(kVirtioRingPacked);
    return (features & kEndsInNumber) != 0 ? kLong : kShort;
  }

  // No offloads, one buffer. Only where it differs: it seldom does, and what is written here the
  // guest has to fetch.
  static void write(uint8_t* at, uint32_t bytes) {
    constexpr uint8_t kWanted[kLong] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
    const bool same = bytes == kLong ? std::memcmp(at, kWanted, kLong) == 0
                                     : std::memcmp(at, kWanted, kShort) == 0;
    if (__builtin_expect(!same, 0)) std::memcpy(at, kWanted, bytes);
  }
};

}  // namespace dpdk_vhost
