#include "ring/guest_memory.h"

#include <rte_vhost.h>

#include <cstdlib>
#include <memory>

namespace dpdk_vhost {

bool GuestMemory::read(int vid) {
  count_ = 0;
  rte_vhost_memory* found = nullptr;
  if (rte_vhost_get_mem_table(vid, &found) != 0) return false;
  struct Free {
    void operator()(rte_vhost_memory* memory) const { std::free(memory); }
  };
  const std::unique_ptr<rte_vhost_memory, Free> table(found);
  if (table->nregions > kMaxRegions) return false;
  for (; count_ < table->nregions; ++count_) {
    const rte_vhost_mem_region& region = table->regions[count_];
    // librte keeps the address of the mapping as an integer.
    auto* const host = reinterpret_cast<uint8_t*>(region.host_user_addr);
    regions_[count_] = {region.guest_phys_addr, region.size, host};
  }
  return count_ != 0;
}

}  // namespace dpdk_vhost
