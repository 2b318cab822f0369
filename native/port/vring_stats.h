#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace dpdk_vhost {

// What librte counted for the vrings of one port: `values` holds `names.size()` figures for each
// vring, in the order of their ids.
struct VringTotals {
  std::vector<std::string> names;
  std::vector<double> values;
};

// librte's statistics of a port's vrings. Those belong to the connection and are gone with it;
// these belong to the port and only grow.
class VringStats {
 public:
  // A connection whose statistics begin at zero.
  void begin();
  // Adds what was counted since the last time. Takes the vrings' locks: the device must stay while
  // this runs, and no callback that librte calls with those locks held may call it.
  void update(int vid);
  VringTotals totals();

 private:
  void learn_names(int vid);

  std::mutex mutex_;
  VringTotals totals_;          // under mutex_
  std::vector<uint64_t> last_;  // under mutex_; what librte said the last time
};

}  // namespace dpdk_vhost
