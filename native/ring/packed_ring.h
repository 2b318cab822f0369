#pragma once

#include <rte_mbuf.h>

#include <cstdint>

#include "ring/frame_counts.h"
#include "ring/guest_memory.h"
#include "ring/ring_end.h"

namespace dpdk_vhost {

// A packed virtqueue (virtio 1.2, section 2.8), as far as most frames need it: one buffer of one
// descriptor, directly in the ring. Everything else, and where in the ring one is, is left to
// librte_vhost; both take turns.
//
// The ring is the guest's to write at any time: each descriptor is read once and checked after.
class alignas(64) PackedRing {
 public:
  // --- librte's event thread, with the gate of the queue closed ---

  // As SplitRing::read.
  void read(int vid, uint16_t vring, uint64_t features, const GuestMemory& memory,
            FrameCounts* counts);

  // --- the lcore that has the queue in hand, inside the gate ---

  // As SplitRing::take.
  uint32_t take(rte_mempool* pool, rte_mbuf** frames, uint32_t count, uint32_t room, RingEnd& end);

  // Copies frames to where the guest receives.
  uint32_t put(rte_mbuf* const* frames, uint32_t count, RingEnd& end);

  // Whether the guest may want to be told of what was taken or put.
  bool wants_call() const;

 private:
  static constexpr uint32_t kStep = 32;  // the guest sees frames after so many

  // A frame's buffer in the guest's memory, with the header.
  struct Place {
    uint8_t* at;
    uint32_t length;
    uint16_t id;
  };

  // False while librte has to go first, for the reason in `end`.
  bool begin(uint16_t& next, RingEnd& end) const;
  uint16_t after(uint16_t place) const;
  bool find(uint16_t at, uint16_t wanted, Place& place, RingEnd& end) const;
  uint32_t find_sent(uint16_t next, uint32_t most, uint32_t room, Place* places,
                     RingEnd& end) const;
  uint32_t find_room(uint16_t next, uint32_t most, rte_mbuf* const* frames, Place* places,
                     RingEnd& end) const;
  void use(uint16_t at, uint16_t id, uint16_t flags, uint32_t written);

  // Written by `read`. Without descriptors all is librte's. Two words each: address; length, id,
  // flags.
  uint64_t* descriptors_ = nullptr;
  const uint16_t* driver_flags_ = nullptr;
  const GuestMemory* memory_ = nullptr;
  FrameCounts* counts_ = nullptr;
  uint32_t header_ = 0;  // bytes of virtio_net_hdr before each frame
  int vid_ = -1;
  uint16_t vring_ = 0;
  uint16_t size_ = 0;
  bool event_index_ = false;
  bool in_order_ = false;
};

}  // namespace dpdk_vhost
