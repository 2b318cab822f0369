#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace dpdk_vhost {

// What a callback of librte_vhost or of an ethdev tells the control thread. Fixed size: callbacks
// allocate nothing.
struct Notice {
  enum class Kind : uint32_t {
    connected,
    refused,
    ready,
    stopped,
    queues,
    disconnected,
    held,
    memory_gone,
    calls_blocked,
    link
  };
  Kind kind = Kind::connected;
  uint32_t port = 0;
  uint64_t serial = 0;  // tells this port from an earlier one with the same id
  uint64_t generation = 0;
};

// Bounded queue of many producers and one consumer, lock-free on both sides: a callback may run
// with every vring of a device locked and must never wait. Each cell carries the turn at which it
// may be written or read.
class NoticeQueue {
 public:
  static constexpr size_t kCapacity = 4096;

  NoticeQueue() {
    for (size_t i = 0; i < kCapacity; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }

  // False when full; the caller then asks for a resync.
  bool push(const Notice& notice) {
    size_t at = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[at % kCapacity];
      const size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == at) {
        if (tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
          cell.notice = notice;
          cell.turn.store(at + 1, std::memory_order_release);
          return true;
        }
      } else if (turn < at) {
        return false;
      } else {
        at = tail_.load(std::memory_order_relaxed);
      }
    }
  }

  // Control thread only.
  bool pop(Notice& notice) {
    Cell& cell = cells_[head_ % kCapacity];
    if (cell.turn.load(std::memory_order_acquire) != head_ + 1) return false;
    notice = cell.notice;
    cell.turn.store(head_ + kCapacity, std::memory_order_release);
    ++head_;
    return true;
  }

 private:
  struct Cell {
    std::atomic<size_t> turn{0};
    Notice notice;
  };
  std::array<Cell, kCapacity> cells_;
  alignas(64) std::atomic<size_t> tail_{0};
  alignas(64) size_t head_ = 0;  // control thread
};

}  // namespace dpdk_vhost
