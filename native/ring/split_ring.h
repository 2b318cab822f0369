#pragma once

#include <rte_mbuf.h>

#include <cstdint>

#include "ring/frame_counts.h"
#include "ring/gate.h"
#include "ring/guest_memory.h"
#include "ring/ring_end.h"

namespace dpdk_vhost {

// A split virtqueue (virtio 1.2, section 2.7), as far as most frames need it: one buffer of one
// descriptor, directly in the ring. Everything else, and where in the ring one is, is left to
// librte_vhost; both take turns.
//
// The ring is the guest's to write at any time: each descriptor is read once and checked after.
class alignas(64) SplitRing {
 public:
  // --- librte's event thread, with the gate closed ---

  // `vring` is librte's number of the queue. What is not for this class stays librte's. `counts`
  // may be null; otherwise those of frames that are copied here, but not by librte.
  void read(int vid, uint16_t vring, uint64_t features, const GuestMemory& memory,
            FrameCounts* counts);

  Gate& gate() { return gate_; }

  // --- the lcore that has the queue in hand, inside the gate ---

  // Copies frames that the guest sends to mbufs of `pool`, whose buffers have room for `room`
  // bytes.
  uint32_t take(rte_mempool* pool, rte_mbuf** frames, uint32_t count, uint32_t room, RingEnd& end);

  // Copies frames to where the guest receives.
  uint32_t put(rte_mbuf* const* frames, uint32_t count, RingEnd& end);

  // Whether the guest may want to be told of what was taken or put.
  bool wants_call() const;

 private:
  static constexpr uint32_t kStep = 32;  // the guest sees frames after so many

  struct Used {
    uint32_t id;
    uint32_t length;
  };
  // A frame in the guest's memory, without its header.
  struct Place {
    uint8_t* at;
    uint32_t length;
    uint16_t id;
  };
  // What may be done at once.
  struct Step {
    uint16_t next;  // place in the available ring
    uint16_t used;  // place in the used ring
    uint32_t most;  // 0: nothing, for the reason in `end`
    RingEnd end;
  };

  Step begin(uint32_t count);
  void finish(const Step& step, uint32_t count);
  uint8_t* find(uint16_t place, uint16_t flags, uint32_t& length, uint16_t& id) const;
  uint32_t find_sent(const Step& step, uint32_t room, Place* places) const;
  uint32_t find_room(const Step& step, rte_mbuf* const* frames, Place* places) const;
  void use(uint16_t place, uint16_t id, uint32_t written);

  // Written by `read`. Without descriptors all is librte's.
  const uint64_t* descriptors_ = nullptr;
  const uint16_t* available_flags_ = nullptr;
  const uint16_t* available_index_ = nullptr;
  const uint16_t* available_ = nullptr;
  uint16_t* used_index_ = nullptr;
  Used* used_ = nullptr;
  const GuestMemory* memory_ = nullptr;
  FrameCounts* counts_ = nullptr;
  uint32_t header_ = 0;  // bytes of virtio_net_hdr before each frame
  int vid_ = -1;
  uint16_t vring_ = 0;
  uint16_t mask_ = 0;
  bool event_index_ = false;

  Gate gate_;
};

}  // namespace dpdk_vhost
