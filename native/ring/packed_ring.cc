#include "ring/packed_ring.h"

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_memcpy.h>
#include <rte_prefetch.h>
#include <rte_vhost.h>

#include <algorithm>
#include <atomic>

#include "port/virtio.h"
#include "ring/net_header.h"

namespace dpdk_vhost {
namespace {

// librte notes for a migration what it writes, and translates for an IOMMU.
constexpr uint64_t kLeftToLibrte = bit(kVhostLogAll) | bit(kVirtioIommuPlatform);

// Virtio 1.2, sections 2.8.1, 2.8.6 and 2.8.10.
constexpr uint16_t kWritable = 2;
constexpr uint16_t kAvailable = 1 << 7;
constexpr uint16_t kUsed = 1 << 15;
constexpr uint16_t kNoInterrupt = 1;

// As librte tells where it is in a ring: the wrap counter, and an index.
constexpr uint16_t kWrap = 1 << 15;

}  // namespace

void PackedRing::read(int vid, uint16_t vring, uint64_t features, const GuestMemory& memory,
                      FrameCounts* counts) {
  descriptors_ = nullptr;
  rte_vhost_vring found{};
  if ((features & bit(kVirtioRingPacked)) == 0 || (features & kLeftToLibrte) != 0) return;
  if (rte_vhost_get_vhost_vring(vid, vring, &found) != 0) return;
  if (found.desc_packed == nullptr || found.driver_event == nullptr || found.size == 0) return;
  // Where a driver may put them (virtio 1.2, section 2.8.10.1); arm64 faults on other ones.
  if (!rte_is_aligned(found.desc_packed, 16) || !rte_is_aligned(found.driver_event, 4)) return;
  vid_ = vid;
  vring_ = vring;
  memory_ = &memory;
  counts_ = counts;
  header_ = NetHeader::bytes(features);
  event_index_ = (features & bit(kVirtioRingEventIdx)) != 0;
  size_ = found.size;
  // Two words: the place of an event, and flags.
  driver_flags_ = reinterpret_cast<const uint16_t*>(found.driver_event) + 1;
  descriptors_ = reinterpret_cast<uint64_t*>(found.desc_packed);
}

uint32_t PackedRing::put(rte_mbuf* const* frames, uint32_t count, RingEnd& end) {
  end = RingEnd::other;
  if (unlikely(descriptors_ == nullptr)) return 0;
  uint16_t next = 0;
  uint16_t used = 0;
  rte_vhost_get_vring_base(vid_, vring_, &next, &used);
  // What is used goes where it was available, as long as nobody has put librte out of step.
  if (unlikely(next != used || (next & ~kWrap) >= size_)) return 0;

  end = RingEnd::asked;
  uint32_t taken = 0;
  while (taken < count && end == RingEnd::asked) {
    const uint32_t most = std::min(count - taken, kStep);
    Room rooms[kStep];
    uint32_t found = 0;
    for (uint16_t place = next; found < most; ++found, place = after(place))
      if (unlikely(!find_room(place, *frames[taken + found], rooms[found], end))) break;
    if (found == 0) break;
    for (uint32_t i = 0; i < found; ++i) {
      const rte_mbuf* const mbuf = frames[taken + i];
      NetHeader::write(rooms[i].at, header_);
      rte_memcpy(rooms[i].at + header_, rte_pktmbuf_mtod(mbuf, void*), mbuf->data_len);
    }
    // All together: a guest that looks at the first takes the line from us.
    for (uint32_t i = 0; i < found; ++i) {
      const uint16_t state = (next & kWrap) != 0 ? kAvailable | kUsed : 0;
      const uint64_t flags = kWritable | state;
      const uint64_t length = header_ + frames[taken + i]->data_len;
      const uint64_t word = flags << 48 | uint64_t{rooms[i].id} << 32 | length;
      __atomic_store_n(&descriptors_[2 * (next & ~kWrap) + 1], word, __ATOMIC_RELEASE);
      next = after(next);
    }
    if (unlikely(counts_ != nullptr)) counts_->add(frames + taken, found);
    taken += found;
  }
  if (taken != 0) rte_vhost_set_vring_base(vid_, vring_, next, next);
  return taken;
}

bool PackedRing::wants_call() const {
  // Only librte knows how far the guest was told before.
  if (event_index_) return true;
  // The guest looks for used descriptors after it has written its flags.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return __atomic_load_n(driver_flags_, __ATOMIC_RELAXED) != kNoInterrupt;
}

inline uint16_t PackedRing::after(uint16_t place) const {
  const uint32_t next = (place & ~kWrap) + 1U;
  const uint32_t wrap = place & kWrap;
  return static_cast<uint16_t>(likely(next < size_) ? wrap | next : wrap ^ kWrap);
}

// False for what is no buffer of one descriptor that takes the frame.
inline bool PackedRing::find_room(uint16_t place, const rte_mbuf& mbuf, Room& room,
                                  RingEnd& end) const {
  const uint64_t* const descriptor = &descriptors_[2 * (place & ~kWrap)];
  // In the last quarter of the second word (little endian); the rest is valid once they say so.
  const uint16_t flags =
      __atomic_load_n(reinterpret_cast<const uint16_t*>(descriptor + 1) + 3, __ATOMIC_ACQUIRE);
  const bool wrap = (place & kWrap) != 0;
  if (((flags & kAvailable) != 0) != wrap || ((flags & kUsed) != 0) == wrap) {
    end = RingEnd::dry;
    return false;
  }
  end = RingEnd::other;
  const uint64_t address = __atomic_load_n(descriptor, __ATOMIC_RELAXED);
  const uint64_t rest = __atomic_load_n(descriptor + 1, __ATOMIC_RELAXED);
  const auto length = static_cast<uint32_t>(rest);
  if (unlikely((flags & ~(kAvailable | kUsed)) != kWritable || length < header_ + mbuf.data_len))
    return false;
  if (unlikely(mbuf.nb_segs != 1 || (mbuf.ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK) != 0))
    return false;
  room.at = memory_->at(address, length);
  room.id = static_cast<uint16_t>(rest >> 32);
  if (unlikely(room.at == nullptr)) return false;
  rte_prefetch0(room.at);  // to be read only: see NetHeader::write
  rte_prefetch0_write(room.at + header_);
  rte_prefetch0_write(room.at + header_ + mbuf.data_len - 1);
  end = RingEnd::asked;
  return true;
}

}  // namespace dpdk_vhost
