#include "ring/split_ring.h"

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

// librte knows that layout as well as we do, notes for a migration what it writes, and translates
// for an IOMMU.
constexpr uint64_t kLeftToLibrte =
    bit(kVirtioRingPacked) | bit(kVhostLogAll) | bit(kVirtioIommuPlatform);

// Virtio 1.2, sections 2.7.5 and 2.7.6.
constexpr uint32_t kDescriptorsInLine = RTE_CACHE_LINE_MIN_SIZE / 16;
constexpr uint16_t kSent = 0;
constexpr uint16_t kWritable = 2;
constexpr uint16_t kNoInterrupt = 1;

}  // namespace

void SplitRing::read(int vid, uint16_t vring, uint64_t features, const GuestMemory& memory,
                     FrameCounts* counts) {
  descriptors_ = nullptr;
  rte_vhost_vring found{};
  if ((features & kLeftToLibrte) != 0 || rte_vhost_get_vhost_vring(vid, vring, &found) != 0) return;
  if (found.desc == nullptr || found.avail == nullptr || found.used == nullptr) return;
  if (!rte_is_power_of_2(found.size)) return;
  // Where a driver may put them (virtio 1.2, section 2.7); arm64 faults on other ones.
  if (!rte_is_aligned(found.desc, 16) || !rte_is_aligned(found.avail, 2) ||
      !rte_is_aligned(found.used, 4))
    return;
  vid_ = vid;
  vring_ = vring;
  memory_ = &memory;
  counts_ = counts;
  header_ = NetHeader::bytes(features);
  event_index_ = (features & bit(kVirtioRingEventIdx)) != 0;
  mask_ = static_cast<uint16_t>(found.size - 1);
  // Both rings: flags, index, entries.
  available_flags_ = reinterpret_cast<const uint16_t*>(found.avail);
  available_index_ = available_flags_ + 1;
  available_ = available_flags_ + 2;
  used_index_ = reinterpret_cast<uint16_t*>(found.used) + 1;
  used_ = reinterpret_cast<Used*>(used_index_ + 1);
  // Two words each: address; length, flags, next.
  descriptors_ = reinterpret_cast<const uint64_t*>(found.desc);
}

uint32_t SplitRing::take(rte_mempool* pool, rte_mbuf** frames, uint32_t count, uint32_t room,
                         RingEnd& end) {
  end = RingEnd::asked;
  uint32_t taken = 0;
  while (taken < count) {
    const Step step = begin(count - taken);
    end = step.end;
    if (step.most == 0) break;
    Place places[kStep];
    const uint32_t found = find_sent(step, room, places);
    if (found < step.most) end = RingEnd::other;
    if (found == 0) break;

    rte_mbuf** const mbufs = frames + taken;
    // Where none is free librte has none either.
    if (unlikely(rte_mempool_get_bulk(pool, reinterpret_cast<void**>(mbufs), found) != 0)) break;
    for (uint32_t i = 0; i < found; ++i) {
      const Place& place = places[i];
      rte_mbuf* const mbuf = mbufs[i];
      begin_frame(*mbuf, place.length);
      rte_memcpy(rte_pktmbuf_mtod(mbuf, void*), place.at, place.length);
      use(static_cast<uint16_t>(step.used + i), place.id, 0);
    }
    finish(step, found);
    if (unlikely(counts_ != nullptr)) counts_->add(mbufs, found);
    taken += found;
    if (found < step.most) break;
  }
  return taken;
}

uint32_t SplitRing::put(rte_mbuf* const* frames, uint32_t count, RingEnd& end) {
  end = RingEnd::asked;
  uint32_t taken = 0;
  while (taken < count) {
    const Step step = begin(count - taken);
    end = step.end;
    if (step.most == 0) break;
    Place places[kStep];
    const uint32_t found = find_room(step, frames + taken, places);
    if (found < step.most) end = RingEnd::other;
    if (found == 0) break;

    for (uint32_t i = 0; i < found; ++i) {
      const Place& place = places[i];
      NetHeader::write(place.at - header_, header_);
      rte_memcpy(place.at, rte_pktmbuf_mtod(frames[taken + i], void*), place.length);
      use(static_cast<uint16_t>(step.used + i), place.id, header_ + place.length);
    }
    finish(step, found);
    if (unlikely(counts_ != nullptr)) counts_->add(frames + taken, found);
    taken += found;
    if (found < step.most) break;
  }
  return taken;
}

bool SplitRing::wants_call() const {
  // Only librte knows how far the guest was told before.
  if (event_index_) return true;
  // The guest reads the used index after it has written its flags.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return (__atomic_load_n(available_flags_, __ATOMIC_RELAXED) & kNoInterrupt) == 0;
}

inline SplitRing::Step SplitRing::begin(uint32_t count) {
  Step step{0, 0, 0, RingEnd::other};
  if (unlikely(descriptors_ == nullptr)) return step;
  rte_vhost_get_vring_base(vid_, vring_, &step.next, &step.used);
  const uint16_t index = __atomic_load_n(available_index_, __ATOMIC_ACQUIRE);
  const uint32_t there = static_cast<uint16_t>(index - step.next);
  if (there == 0) {
    step.end = RingEnd::dry;
  } else if (likely(there <= mask_ + 1U)) {
    step.most = std::min({there, count, kStep});
    step.end = RingEnd::asked;
  }
  // Few of their lines would be on the way at a time otherwise.
  for (uint32_t i = 0; i < step.most; i += kDescriptorsInLine) {
    const uint16_t id = __atomic_load_n(&available_[(step.next + i) & mask_], __ATOMIC_RELAXED);
    rte_prefetch0(&descriptors_[2 * (id & mask_)]);
  }
  return step;
}

inline void SplitRing::finish(const Step& step, uint32_t count) {
  const auto used = static_cast<uint16_t>(step.used + count);
  __atomic_store_n(used_index_, used, __ATOMIC_RELEASE);
  rte_vhost_set_vring_base(vid_, vring_, static_cast<uint16_t>(step.next + count), used);
}

// Both of these find all places before the first byte is copied, so that the guest's cache lines
// come at the same time.

inline uint32_t SplitRing::find_sent(const Step& step, uint32_t room, Place* places) const {
  for (uint32_t i = 0; i < step.most; ++i) {
    Place& place = places[i];
    uint8_t* const at = find(static_cast<uint16_t>(step.next + i), kSent, place.length, place.id);
    if (unlikely(at == nullptr || place.length <= header_ || place.length - header_ > room))
      return i;
    place.at = at + header_;
    place.length -= header_;
    rte_prefetch0(place.at);
  }
  return step.most;
}

inline uint32_t SplitRing::find_room(const Step& step, rte_mbuf* const* frames,
                                     Place* places) const {
  for (uint32_t i = 0; i < step.most; ++i) {
    Place& place = places[i];
    const rte_mbuf* const mbuf = frames[i];
    uint8_t* const at =
        find(static_cast<uint16_t>(step.next + i), kWritable, place.length, place.id);
    if (unlikely(at == nullptr || place.length < header_ + mbuf->data_len)) return i;
    if (unlikely(mbuf->nb_segs != 1 || (mbuf->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK) != 0))
      return i;
    place.at = at + header_;
    place.length = mbuf->data_len;
    rte_prefetch0(at);  // to be read only: see NetHeader::write
    rte_prefetch0_write(place.at);
    rte_prefetch0_write(place.at + place.length - 1);
  }
  return step.most;
}

// Null for what is no buffer of one descriptor with just these flags.
inline uint8_t* SplitRing::find(uint16_t place, uint16_t flags, uint32_t& length,
                                uint16_t& id) const {
  id = __atomic_load_n(&available_[place & mask_], __ATOMIC_RELAXED);
  if (unlikely(id > mask_)) return nullptr;
  const uint64_t address = __atomic_load_n(&descriptors_[2 * id], __ATOMIC_RELAXED);
  const uint64_t rest = __atomic_load_n(&descriptors_[2 * id + 1], __ATOMIC_RELAXED);
  length = static_cast<uint32_t>(rest);
  if (unlikely(static_cast<uint16_t>(rest >> 32) != flags)) return nullptr;
  return memory_->at(address, length);
}

inline void SplitRing::use(uint16_t place, uint16_t id, uint32_t written) {
  used_[place & mask_] = {id, written};
}

}  // namespace dpdk_vhost
