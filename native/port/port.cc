#include "port/port.h"

namespace dpdk_vhost {

const char* name_of(PortState state) {
  switch (state) {
    case PortState::closed:
      return "closed";
    case PortState::connecting:
      return "connecting";
    case PortState::listening:
      return "listening";
    case PortState::connected:
      return "connected";
    case PortState::ready:
      return "ready";
    case PortState::stopped:
      return "stopped";
    case PortState::disconnected:
      return "disconnected";
    case PortState::failed:
      return "failed";
  }
  return "unknown";
}

void Port::drop_all(uint32_t count, Counter TxCounters::*reason) {
  rte_spinlock_lock(&tx_locks_[0]);
  (counters.tx[0].*reason).add(count);
  rte_spinlock_unlock(&tx_locks_[0]);
}

void Port::map_tx_queues(uint32_t enabled) {
  uint64_t map = 0;
  uint32_t queue = 0;
  for (uint32_t lcore = 0; enabled != 0 && lcore < 16; ++lcore) {
    while ((enabled >> queue & 1) == 0) queue = (queue + 1) % kMaxQueuePairs;
    map |= uint64_t{queue} << (4 * lcore);
    queue = (queue + 1) % kMaxQueuePairs;
  }
  tx_map_.store(map, std::memory_order_relaxed);
  tx_queues_.store(enabled, std::memory_order_release);
}

}  // namespace dpdk_vhost
