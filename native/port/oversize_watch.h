#pragma once

#include <rte_vhost.h>

#include <cstdint>

namespace dpdk_vhost {

// Finds out how many frames of a split ring librte_vhost dropped because they do not fit one
// buffer: it takes them off the ring and says nothing. What the ring advanced by, less what was
// received, is their number. On a packed ring the index counts descriptors, of which a frame may
// have several. Belongs to the lcore that polls the queue.
class alignas(64) OversizeWatch {
 public:
  // To be called before a poll; `epoch` changes when the ring may be another.
  void begin(int vid, uint16_t vring, uint32_t epoch) {
    if (epoch_ == epoch) return;
    epoch_ = epoch;
    received_ = 0;
    index(vid, vring, index_);
  }

  // Called after it. True when it is time to look, which is not worth it after each poll.
  bool end(uint32_t received) {
    received_ = static_cast<uint16_t>(received_ + received);
    return (++polls_ & 63) == 0;
  }

  uint32_t look(int vid, uint16_t vring) {
    uint16_t now = 0;
    if (!index(vid, vring, now)) return 0;
    // Negative after a frame that was on no ring: librte announces a migrated guest by one.
    const auto dropped = static_cast<int16_t>(now - index_ - received_);
    index_ = now;
    received_ = 0;
    return dropped > 0 ? static_cast<uint32_t>(dropped) : 0;
  }

 private:
  static bool index(int vid, uint16_t vring, uint16_t& index) {
    uint16_t used = 0;
    return rte_vhost_get_vring_base(vid, vring, &index, &used) == 0;
  }

  uint32_t epoch_ = UINT32_MAX;
  uint32_t polls_ = 0;
  uint16_t index_ = 0;
  uint16_t received_ = 0;
};

}  // namespace dpdk_vhost
