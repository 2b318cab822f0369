#include "port/port.h"

#include <algorithm>

#include "port/shaper.h"

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

Port::Port(uint32_t id, std::string name, uint32_t max_frame_bytes, uint32_t tx_retries_max,
           PortCounters& counters)
    : counters(counters),
      id_(id),
      name_(std::move(name)),
      max_frame_bytes_(max_frame_bytes),
      tx_retries_max_(tx_retries_max) {}

Port::~Port() = default;

void Port::shape(Shaper& shaper, rte_mbuf** frames, uint32_t count, bool shared) {
  shaper.offer(frames, count, shared);
}

void Port::set_shaper(const ShaperOptions& options, ShaperSchedule& schedule) {
  if (shaper_owned_) {
    shaper_owned_->configure(options);
    return;
  }
  shaper_owned_ = std::make_unique<Shaper>(*this, counters, schedule, options);
  shaper_.store(shaper_owned_.get(), std::memory_order_release);
}

std::unique_ptr<Shaper> Port::take_shaper() {
  shaper_.store(nullptr, std::memory_order_release);
  return std::move(shaper_owned_);
}

void Port::drop_all(uint32_t count, Counter TxCounters::*reason) {
  tx_locks_[0].lock();
  (counters.tx[0].*reason).add(count);
  tx_locks_[0].unlock();
}

void Port::map_tx_queues(uint32_t enabled) {
  const auto highest = enabled == 0 ? 0U : 32U - static_cast<uint32_t>(__builtin_clz(enabled));
  tx_queue_count_ = enabled == 0 ? 0 : std::max(tx_queue_count_, highest);
  uint64_t map = 0;
  uint32_t substitute = 0;
  for (uint32_t lcore = 0; enabled != 0 && lcore < kTxMapEntries; ++lcore) {
    uint32_t queue = lcore % tx_queue_count_;
    if ((enabled >> queue & 1) == 0) {
      while ((enabled >> substitute & 1) == 0) substitute = (substitute + 1) % kMaxQueuePairs;
      queue = substitute;
      substitute = (substitute + 1) % kMaxQueuePairs;
    }
    map |= uint64_t{queue} << (4 * lcore);
  }
  tx_map_.store(map, std::memory_order_relaxed);
  tx_queues_.store(enabled, std::memory_order_release);
}

}  // namespace dpdk_vhost
