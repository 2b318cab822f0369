#pragma once

// A guest's side of a packed ring (virtio 1.2, section 2.8).

#include <deque>
#include <vector>

#include "front_end.h"

constexpr uint16_t PACKED_AVAILABLE = 1 << 7, PACKED_USED = 1 << 15;

struct Descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags, next;  // of a packed ring: id, flags
};
struct Used {
  uint32_t id, length;
};

class PackedSide {
 public:
  PackedSide(uint32_t size, bool in_order) : size_(size), in_order_(in_order), slots_(size), free_(size) {}

  bool has_room(size_t slots) const { return slots <= free_; }

  // Makes a chain available, its flags without those of its place; the switch may see it at once.
  void offer(Descriptor* ring, uint16_t id, const std::vector<Descriptor>& parts) {
    const Place head = next_;
    uint16_t head_flags = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
      Descriptor& at = ring[next_.index];
      const auto flags = static_cast<uint16_t>(parts[i].flags | state(next_.wrap, !next_.wrap));
      at.address = parts[i].address;
      at.length = parts[i].length;
      at.flags = id;
      if (i == 0) {
        head_flags = flags;
      } else {
        at.next = flags;
      }
      next_ = after(next_, 1);
    }
    __atomic_store_n(&ring[head.index].next, head_flags, __ATOMIC_RELEASE);
    slots_[id] = static_cast<uint32_t>(parts.size());
    free_ -= slots_[id];
    out_.push_back(id);
  }

  bool has_used(const Descriptor* ring) const { return !found_.empty() || is_used(ring); }

  bool take_used(const Descriptor* ring, Used& entry) {
    if (found_.empty()) look(ring);
    if (found_.empty()) return false;
    entry = found_.front();
    found_.pop_front();
    return true;
  }

  // As the event structure of a ring names it: the place of the next used descriptor.
  uint16_t next_used() const {
    return static_cast<uint16_t>(used_.index | (used_.wrap ? 1U << 15 : 0));
  }

 private:
  struct Place {
    uint32_t index;
    bool wrap;
  };
  static uint16_t state(bool available, bool used) {
    return static_cast<uint16_t>((available ? PACKED_AVAILABLE : 0) | (used ? PACKED_USED : 0));
  }
  Place after(Place place, uint32_t slots) const {
    const uint32_t index = place.index + slots;
    return index < size_ ? Place{index, place.wrap} : Place{index - size_, !place.wrap};
  }
  bool is_used(const Descriptor* ring) const {
    const uint16_t flags = __atomic_load_n(&ring[used_.index].next, __ATOMIC_ACQUIRE);
    return (flags & (PACKED_AVAILABLE | PACKED_USED)) == state(used_.wrap, used_.wrap);
  }
  void look(const Descriptor* ring) {
    if (!is_used(ring)) return;
    const Descriptor& at = ring[used_.index];
    const uint16_t id = at.flags;
    if (id >= size_ || slots_[id] == 0) fail("used id " + std::to_string(id) + " was not given");
    // In order, one used descriptor may stand for all buffers until its own, which are used whole then.
    if (!in_order_) {
      take(id, at.length);
      return;
    }
    while (out_.front() != id) take(out_.front(), UINT32_MAX);
    take(id, at.length);
  }
  void take(uint16_t id, uint32_t length) {
    if (in_order_) out_.pop_front();
    found_.push_back({id, length});
    used_ = after(used_, slots_[id]);
    free_ += slots_[id];
    slots_[id] = 0;
  }

  const uint32_t size_;
  const bool in_order_;
  std::vector<uint32_t> slots_;  // by id: descriptors of what is out
  uint32_t free_;
  Place next_{0, true}, used_{0, true};
  std::deque<uint16_t> out_;  // ids as they were given
  std::deque<Used> found_;    // used, and not taken yet
};
