#include <rte_cycles.h>

#include "lcore/lcore.h"
#include "port/port.h"

namespace dpdk_vhost {

// The yardstick: as little as a switch can do over the same rings, memory and locks.
uint64_t Lcore::native_io(uint32_t milliseconds) {
  const uint64_t end = rte_rdtsc() + static_cast<uint64_t>(milliseconds / ms_per_cycle_);
  uint64_t frames = 0;
  for (;;) {
    const Quiescence::Section section(reader_);
    tick();
    if (last_tick_ >= end) return frames;
    const QueueList& queues = polled_.load(std::memory_order_acquire)->queues;
    if (queues.size() < 2) return 0;
    native_io_turn_ ^= 1;
    const RxQueue& from = queues[native_io_turn_ & 1];
    const RxQueue& to = queues[(native_io_turn_ & 1) ^ 1];
    const uint32_t count =
        from.port->receive(from.queue, memory_->pool(), frames_.data(), burst_limit_);
    was_busy_ = count != 0;
    if (count == 0) continue;
    to.port->transmit(index_, frames_.data(), count, false);
    memory_->free(frames_.data(), count);
    from.port->counters.rx[from.queue].frames.add(count);
    frames += count;
  }
}

}  // namespace dpdk_vhost
