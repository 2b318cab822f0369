#pragma once

#include <cstdint>

namespace dpdk_vhost {

// Shared with src/burst/burst.ts; binding.layout carries them over and a test compares.
constexpr uint32_t kMaxPorts = 1024;
constexpr uint32_t kMaxQueuePairs = 16;
constexpr uint32_t kMaxLcores = 64;
constexpr uint32_t kMaxBurst = 256;    // frames one poll receives
constexpr uint32_t kMaxFrames = 512;   // frames one burst holds, added ones included
constexpr uint32_t kMaxCopies = 4096;  // queued further receivers before they are sent early

// librte_vhost moves at most this many frames in one call (MAX_PKT_BURST in its sources).
constexpr uint32_t kVhostCallBurst = 32;

constexpr uint32_t kEthernetHeader = 14;
constexpr uint32_t kVlanHeaders = 8;  // two tags, as in 802.1ad, do not count against the MTU

}  // namespace dpdk_vhost
