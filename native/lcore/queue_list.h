#pragma once

#include <cstdint>
#include <vector>

namespace dpdk_vhost {

class Port;

// One (port, rx queue) that an lcore polls.
struct RxQueue {
  Port* port = nullptr;
  uint16_t queue = 0;
};

// Published whole to an lcore and replaced whole; never changed.
using QueueList = std::vector<RxQueue>;

}  // namespace dpdk_vhost
