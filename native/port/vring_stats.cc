#include "port/vring_stats.h"

#include <rte_vhost.h>

#include <algorithm>

namespace dpdk_vhost {

void VringStats::begin() {
  const std::lock_guard lock(mutex_);
  std::fill(last_.begin(), last_.end(), 0);
}

void VringStats::update(int vid) {
  const std::lock_guard lock(mutex_);
  if (totals_.names.empty()) learn_names(vid);
  const size_t width = totals_.names.size();
  if (width == 0) return;
  const uint16_t vrings = rte_vhost_get_vring_num(vid);
  if (last_.size() < vrings * width) {
    last_.resize(vrings * width);
    totals_.values.resize(vrings * width);
  }
  std::vector<rte_vhost_stat> now(width);
  for (uint16_t vring = 0; vring < vrings; ++vring) {
    const int count = rte_vhost_vring_stats_get(vid, vring, now.data(), width);
    if (count < 0 || static_cast<size_t>(count) != width) continue;
    for (size_t i = 0; i < width; ++i) {
      uint64_t& last = last_[vring * width + i];
      const uint64_t value = now[i].value;
      // A peer that resets its device has librte count from zero again.
      const uint64_t more = value >= last ? value - last : value;
      totals_.values[vring * width + i] += static_cast<double>(more);
      last = value;
    }
  }
}

VringTotals VringStats::totals() {
  const std::lock_guard lock(mutex_);
  VringTotals all = totals_;
  const size_t width = all.names.size();
  for (size_t i = 0; i < FrameCounts::kNames.size(); ++i) {
    const auto name = std::find(all.names.begin(), all.names.end(), FrameCounts::kNames[i]);
    if (name == all.names.end()) continue;
    const auto at = static_cast<size_t>(name - all.names.begin());
    for (size_t vring = 0; vring * width < all.values.size(); ++vring)
      all.values[vring * width + at] += static_cast<double>(own_[vring].values()[i]);
  }
  return all;
}

// librte writes `rx_q0_good_packets`: the counters are the same for every vring.
void VringStats::learn_names(int vid) {
  const int count = rte_vhost_vring_stats_get_names(vid, 0, nullptr, 0);
  if (count <= 0) return;
  std::vector<rte_vhost_stat_name> names(static_cast<size_t>(count));
  if (rte_vhost_vring_stats_get_names(vid, 0, names.data(), names.size()) != count) return;
  for (const auto& one : names) {
    const std::string name = one.name;
    totals_.names.push_back(name.substr(name.find('_', name.find('_') + 1) + 1));
  }
}

}  // namespace dpdk_vhost
