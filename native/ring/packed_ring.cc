#include "ring/packed_ring.h"

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_memcpy.h>
#include <rte_mempool.h>
#include <rte_prefetch.h>
#include <rte_vhost.h>

#include <algorithm>
#include <atomic>

#include "port/virtio.h"
#include "ring/fresh_frame.h"
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
  in_order_ = (features & bit(kVirtioInOrder)) != 0;
  size_ = found.size;
  // Two words: the place of an event, and flags.
  driver_flags_ = reinterpret_cast<const uint16_t*>(found.driver_event) + 1;
  descriptors_ = reinterpret_cast<uint64_t*>(found.desc_packed);
}

uint32_t PackedRing::take(rte_mempool* pool, rte_mbuf** frames, uint32_t count, uint32_t room,
                          RingEnd& end) {
  uint16_t next = 0;
  if (unlikely(!begin(next, end))) return 0;
  uint32_t taken = 0;
  while (taken < count && end == RingEnd::asked) {
    Place places[kStep];
    const uint32_t found = find_sent(next, std::min(count - taken, kStep), room, places, end);
    if (found == 0) break;
    rte_mbuf** const mbufs = frames + taken;
    // Where none is free librte has none either.
    if (unlikely(rte_mempool_get_bulk(pool, reinterpret_cast<void**>(mbufs), found) != 0)) break;
    for (uint32_t i = 0; i < found; ++i) {
      rte_mbuf& mbuf = *mbufs[i];
      const uint32_t length = places[i].length - header_;
      begin_frame(mbuf, length);
      rte_memcpy(rte_pktmbuf_mtod(&mbuf, void*), places[i].at + header_, length);
    }
    if (in_order_) {
      // The last one's id, where the first one was, stands for all of them (section 2.8.8).
      use(next, places[found - 1].id, 0, 0);
      for (uint32_t i = 0; i < found; ++i) next = after(next);
    } else {
      for (uint32_t i = 0; i < found; ++i, next = after(next)) use(next, places[i].id, 0, 0);
    }
    if (unlikely(counts_ != nullptr)) counts_->add(mbufs, found);
    taken += found;
  }
  if (taken != 0) rte_vhost_set_vring_base(vid_, vring_, next, next);
  return taken;
}

uint32_t PackedRing::put(rte_mbuf* const* frames, uint32_t count, RingEnd& end) {
  uint16_t next = 0;
  if (unlikely(!begin(next, end))) return 0;
  uint32_t taken = 0;
  while (taken < count && end == RingEnd::asked) {
    rte_mbuf* const* const mbufs = frames + taken;
    Place places[kStep];
    const uint32_t found = find_room(next, std::min(count - taken, kStep), mbufs, places, end);
    if (found == 0) break;
    for (uint32_t i = 0; i < found; ++i) {
      NetHeader::write(places[i].at, header_);
      rte_memcpy(places[i].at + header_, rte_pktmbuf_mtod(mbufs[i], void*), mbufs[i]->data_len);
    }
    // All together: a guest that looks at the first takes the line from us.
    for (uint32_t i = 0; i < found; ++i, next = after(next))
      use(next, places[i].id, kWritable, header_ + mbufs[i]->data_len);
    if (unlikely(counts_ != nullptr)) counts_->add(mbufs, found);
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

inline bool PackedRing::begin(uint16_t& next, RingEnd& end) const {
  end = RingEnd::other;
  if (unlikely(descriptors_ == nullptr)) return false;
  uint16_t used = 0;
  rte_vhost_get_vring_base(vid_, vring_, &next, &used);
  // What is used goes where it was available, as long as nobody has put librte out of step.
  if (unlikely(next != used || (next & ~kWrap) >= size_)) return false;
  end = RingEnd::asked;
  return true;
}

inline uint16_t PackedRing::after(uint16_t place) const {
  const uint32_t next = (place & ~kWrap) + 1U;
  const uint32_t wrap = place & kWrap;
  return static_cast<uint16_t>(likely(next < size_) ? wrap | next : wrap ^ kWrap);
}

// Both of these find all places before the first byte is copied, so that the guest's cache lines
// come at the same time.

inline uint32_t PackedRing::find_sent(uint16_t next, uint32_t most, uint32_t room, Place* places,
                                      RingEnd& end) const {
  for (uint32_t i = 0; i < most; ++i, next = after(next)) {
    Place& place = places[i];
    if (unlikely(!find(next, 0, place, end))) return i;
    if (unlikely(place.length <= header_ || place.length - header_ > room)) {
      end = RingEnd::other;
      return i;
    }
    rte_prefetch0(place.at + header_);
  }
  return most;
}

inline uint32_t PackedRing::find_room(uint16_t next, uint32_t most, rte_mbuf* const* frames,
                                      Place* places, RingEnd& end) const {
  for (uint32_t i = 0; i < most; ++i, next = after(next)) {
    Place& place = places[i];
    const rte_mbuf& mbuf = *frames[i];
    if (unlikely(!find(next, kWritable, place, end))) return i;
    if (unlikely(place.length < header_ + mbuf.data_len || mbuf.nb_segs != 1 ||
                 (mbuf.ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK) != 0)) {
      end = RingEnd::other;
      return i;
    }
    rte_prefetch0(place.at);  // to be read only: see NetHeader::write
    rte_prefetch0_write(place.at + header_);
    rte_prefetch0_write(place.at + header_ + mbuf.data_len - 1);
  }
  return most;
}

// False for what is no buffer of one descriptor with just these flags.
inline bool PackedRing::find(uint16_t at, uint16_t wanted, Place& place, RingEnd& end) const {
  const uint64_t* const descriptor = &descriptors_[2 * (at & ~kWrap)];
  // In the last quarter of the second word (little endian); the rest is valid once they say so.
  const uint16_t flags =
      __atomic_load_n(reinterpret_cast<const uint16_t*>(descriptor + 1) + 3, __ATOMIC_ACQUIRE);
  const bool wrap = (at & kWrap) != 0;
  if (((flags & kAvailable) != 0) != wrap || ((flags & kUsed) != 0) == wrap) {
    end = RingEnd::dry;
    return false;
  }
  const uint64_t address = __atomic_load_n(descriptor, __ATOMIC_RELAXED);
  const uint64_t rest = __atomic_load_n(descriptor + 1, __ATOMIC_RELAXED);
  place.length = static_cast<uint32_t>(rest);
  place.id = static_cast<uint16_t>(rest >> 32);
  place.at =
      (flags & ~(kAvailable | kUsed)) == wanted ? memory_->at(address, place.length) : nullptr;
  if (likely(place.at != nullptr)) return true;
  end = RingEnd::other;
  return false;
}

inline void PackedRing::use(uint16_t at, uint16_t id, uint16_t flags, uint32_t written) {
  const uint64_t state = (at & kWrap) != 0 ? kAvailable | kUsed : 0;
  const uint64_t word = (flags | state) << 48 | uint64_t{id} << 32 | written;
  __atomic_store_n(&descriptors_[2 * (at & ~kWrap) + 1], word, __ATOMIC_RELEASE);
}

}  // namespace dpdk_vhost
