#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "constants.h"
#include "ring/frame_counts.h"

namespace dpdk_vhost {

// What was counted for the vrings of one port, by librte's names: `values` holds `names.size()`
// figures for each vring, in the order of their ids.
struct VringTotals {
  std::vector<std::string> names;
  std::vector<double> values;
};

// Statistics of a port's vrings: librte's of the frames that it copied and of all notifications,
// and ours of the frames that we did. librte's belong to the connection and are gone with it; these
// belong to the port and only grow.
class VringStats {
 public:
  // A connection whose statistics begin at zero.
  void begin();
  // Adds what was counted since the last time. Takes the vrings' locks: the device must stay while
  // this runs, and no callback that librte calls with those locks held may call it.
  void update(int vid);
  VringTotals totals();
  // Of a vring by librte's number: for whoever copies its frames without librte.
  FrameCounts& frame_counts(uint16_t vring) { return own_[vring]; }

 private:
  void learn_names(int vid);

  std::mutex mutex_;
  VringTotals totals_;          // under mutex_; librte's
  std::vector<uint64_t> last_;  // under mutex_; what librte said the last time
  std::array<FrameCounts, 2 * kMaxQueuePairs> own_;
};

}  // namespace dpdk_vhost
