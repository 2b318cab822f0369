#pragma once

#include <sched.h>

#include <atomic>

namespace dpdk_vhost {

// Keeps an lcore out of a ring while librte handles a message of the peer, which may unmap the
// ring. librte's own lock of the ring is not to be had from outside, and an lcore may wait for that
// one; nobody waits inside a gate.
class Gate {
 public:
  // --- the one lcore that has the ring in hand, inside a Quiescence::Section ---

  bool enter() {
    // Both sides write theirs before they read the other's.
    inside_.store(true, std::memory_order_seq_cst);
    if (open_.load(std::memory_order_seq_cst)) return true;
    leave();
    return false;
  }
  void leave() { inside_.store(false, std::memory_order_release); }

  // --- librte's event thread, or whoever unregisters the socket ---

  void open() { open_.store(true, std::memory_order_release); }

  // Returns once nobody is inside.
  void close() {
    open_.store(false, std::memory_order_seq_cst);
    while (inside_.load(std::memory_order_seq_cst)) sched_yield();
  }

 private:
  std::atomic<bool> open_{false};
  std::atomic<bool> inside_{false};
};

}  // namespace dpdk_vhost
