#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "constants.h"

namespace dpdk_vhost {

// What librte_vhost does not look at before it uses it: what a peer may say of a device's rings,
// and how much librte may be asked for at once.
class RingRules {
 public:
  RingRules();

  // --- librte's event thread. `runs`: lcores may use the device. ---

  // A peer has connected.
  void begin();

  // False: the peer must not say that now.
  bool may_set_features(int vid, uint64_t features, bool runs);
  bool may_set_size(int vid, uint32_t vring, uint32_t size, bool runs);
  bool may_begin_at(int vid, uint32_t vring, uint32_t base);
  bool may_start(int vid, uint32_t vring) const;

  // librte has stopped a ring, or all of them.
  void note_stop(uint32_t vring);
  void note_reset();

  // Whether all that librte took for the rings lies in the guest's memory.
  static bool are_mapped(int vid);

  // --- the lcore that has the ring in hand ---

  // How many frames librte may be asked for in one call.
  uint32_t most_a_call(uint16_t vring) const {
    return most_a_call_[vring].load(std::memory_order_relaxed);
  }
  // After each call that put frames into a packed ring.
  void stay_in_ring(int vid, uint16_t vring) const;

 private:
  static constexpr uint32_t kMaxVrings = 2 * kMaxQueuePairs;

  // What the peer said of a ring.
  struct Plan {
    static constexpr uint32_t kUnknown = UINT32_MAX;
    uint32_t size = 0;  // 0: not since it was stopped
    uint32_t base = 0;
  };

  static bool may_resize(int vid, uint32_t vring, uint32_t size);
  void limit_calls(int vid, uint32_t vring, uint32_t size);

  // By vring; librte's event thread's.
  std::array<Plan, kMaxVrings> plans_{};
  // By vring: its size, and how many frames librte may be asked for at once. Written by its event
  // thread while the ring is at rest, read by lcores.
  std::array<std::atomic<uint32_t>, kMaxVrings> sizes_{};
  std::array<std::atomic<uint32_t>, kMaxVrings> most_a_call_{};
};

}  // namespace dpdk_vhost
