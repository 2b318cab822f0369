#pragma once

#include <array>
#include <cstdint>

namespace dpdk_vhost {

// The guest's memory as it is mapped here. Filled by librte's event thread while no lcore is
// inside a gate of the device, read by lcores inside one.
class GuestMemory {
 public:
  // False when the device has none, or more regions than librte takes.
  bool read(int vid);

  // Where `length` bytes at guest physical address `address` are here; null unless they all lie in
  // one region: what is contiguous for the guest need not be so here (CVE-2018-1059).
  uint8_t* at(uint64_t address, uint32_t length) const {
    for (uint32_t i = 0; i < count_; ++i) {
      const Region& region = regions_[i];
      const uint64_t offset = address - region.guest;
      if (offset < region.size && length <= region.size - offset) return region.host + offset;
    }
    return nullptr;
  }

  // Whether `length` bytes of ours are all in one region.
  bool holds(const void* at, uint64_t length) const {
    const auto* const begin = static_cast<const uint8_t*>(at);
    for (uint32_t i = 0; i < count_; ++i) {
      const Region& region = regions_[i];
      if (begin < region.host) continue;
      const auto offset = static_cast<uint64_t>(begin - region.host);
      if (offset < region.size && length <= region.size - offset) return true;
    }
    return false;
  }

 private:
  static constexpr uint32_t kMaxRegions = 8;  // VHOST_MEMORY_MAX_NREGIONS in librte's sources

  struct Region {
    uint64_t guest;
    uint64_t size;
    uint8_t* host;
  };
  std::array<Region, kMaxRegions> regions_{};
  uint32_t count_ = 0;
};

}  // namespace dpdk_vhost
