#include "port/ring_rules.h"

#include <rte_branch_prediction.h>
#include <rte_vhost.h>

#include <algorithm>

#include "port/virtio.h"
#include "ring/guest_memory.h"

namespace dpdk_vhost {
namespace {

// Of a place in a packed ring; the bit above is its wrap counter.
constexpr uint16_t kPlace = 0x7fff;

uint64_t features_of(int vid) {
  uint64_t features = 0;
  rte_vhost_get_negotiated_features(vid, &features);
  return features;
}

bool is_packed(int vid) {
  return (features_of(vid) & bit(kVirtioRingPacked)) != 0;
}

bool is_mapped(int vid, uint16_t vring, rte_vhost_vring& found) {
  return rte_vhost_get_vhost_vring(vid, vring, &found) == 0 &&
         (found.desc != nullptr || found.avail != nullptr || found.used != nullptr);
}

}  // namespace

RingRules::RingRules() {
  for (auto& most : most_a_call_) most.store(1, std::memory_order_relaxed);
}

void RingRules::begin() {
  plans_.fill({});
}

void RingRules::note_stop(uint32_t vring) {
  if (vring < plans_.size()) plans_[vring] = {0, Plan::kUnknown};
}

void RingRules::note_reset() {
  plans_.fill({0, Plan::kUnknown});
}

// librte makes what it keeps for a ring when it hears of its size, frees it with GET_VRING_BASE,
// and does not look before it uses it; nor whether a packed ring is as long as the place where it
// is to go on.
bool RingRules::may_start(int vid, uint32_t vring) const {
  if (vring >= plans_.size() || plans_[vring].size == 0) return false;
  return !is_packed(vid) || (plans_[vring].base & kPlace) < plans_[vring].size;
}

// It takes any size of a split ring before it says that it does not.
bool RingRules::may_set_size(int vid, uint32_t vring, uint32_t size, bool runs) {
  if (!may_resize(vid, vring, size)) return false;
  if (size == 0 || size > 32768 || (!is_packed(vid) && (size & (size - 1)) != 0)) return false;
  if (vring >= plans_.size()) return true;
  // Lcores may be about to ask librte for as much as the ring had room for.
  if (runs && plans_[vring].size != 0) return plans_[vring].size == size;
  plans_[vring].size = size;
  limit_calls(vid, vring, size);
  return true;
}

// librte checks that a ring lies within the guest's memory when it is mapped, and never again: not
// when its size or layout changes.
bool RingRules::may_resize(int vid, uint32_t vring, uint32_t size) {
  rte_vhost_vring found{};
  if (vring > UINT16_MAX || !is_mapped(vid, static_cast<uint16_t>(vring), found)) return true;
  return found.size == size;
}

bool RingRules::may_set_features(int vid, uint64_t features, bool runs) {
  if (((features_of(vid) ^ features) & ~bit(kVhostLogAll)) == 0) return true;
  // librte refuses it while the device runs.
  if (runs) return true;
  // What it keeps for a ring depends on them.
  for (Plan& plan : plans_) plan.size = 0;
  rte_vhost_vring found{};
  const uint16_t vrings = rte_vhost_get_vring_num(vid);
  for (uint16_t vring = 0; vring < vrings; ++vring)
    if (is_mapped(vid, vring, found)) return false;
  return true;
}

bool RingRules::may_begin_at(int vid, uint32_t vring, uint32_t base) {
  if (vring >= plans_.size()) return true;
  const uint32_t size = plans_[vring].size;
  if (is_packed(vid) && size != 0 && (base & kPlace) >= size) return false;
  plans_[vring].base = base;
  return true;
}

// librte notes what it has used in an array as long as the ring, and does not mind its end: one
// entry for a frame that it takes, up to one less than the ring is long for one that it puts into
// mergeable buffers. A split ring's used entries it writes behind the guest's ring as well. Of a
// packed ring it counts the descriptors of a frame, which may be as many as the square of its
// length, in 16 bits: it can miss that it has to empty the array, and before a second frame it can
// be beyond the ring.
void RingRules::limit_calls(int vid, uint32_t vring, uint32_t size) {
  const bool is_to_guest = (vring & 1) == 0;
  const bool one = is_to_guest && (features_of(vid) & bit(kVirtioNetMrgRxbuf)) != 0;
  const uint32_t most = one ? 1 : std::min(size, kVhostCallBurst);
  sizes_[vring].store(size, std::memory_order_relaxed);
  most_a_call_[vring].store(most, std::memory_order_relaxed);
}

// A frame in many chains goes round a packed ring as often as they do, and librte takes the length
// of the ring off once.
void RingRules::stay_in_ring(int vid, uint16_t vring) const {
  const uint32_t size = sizes_[vring].load(std::memory_order_relaxed);
  uint16_t next = 0;
  uint16_t used = 0;
  if (rte_vhost_get_vring_base(vid, vring, &next, &used) != 0) return;
  if (unlikely((next & kPlace) >= size)) next &= static_cast<uint16_t>(~kPlace);
  // What is beyond 15 bits does not show in `next`.
  rte_vhost_set_vring_base(vid, vring, next, used);
}

// librte leaves the address of a part that does not fit, and takes the ring for ready.
bool RingRules::are_mapped(int vid) {
  GuestMemory memory;
  memory.read(vid);
  const bool packed = is_packed(vid);
  const uint16_t vrings = rte_vhost_get_vring_num(vid);
  rte_vhost_vring ring{};
  for (uint16_t vring = 0; vring < vrings; ++vring) {
    if (!is_mapped(vid, vring, ring)) continue;
    const uint64_t size = ring.size;
    // Virtio 1.2, sections 2.7 and 2.8; with the word for events.
    const uint64_t available = packed ? 4 : 4 + 2 * size;
    const uint64_t used = packed ? 4 : 4 + 8 * size;
    if ((ring.desc != nullptr && !memory.holds(ring.desc, 16 * size)) ||
        (ring.avail != nullptr && !memory.holds(ring.avail, available)) ||
        (ring.used != nullptr && !memory.holds(ring.used, used)))
      return false;
  }
  return true;
}

}  // namespace dpdk_vhost
