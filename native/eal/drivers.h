#pragma once

#include <string>

namespace dpdk_vhost {

// DPDK's drivers as the distribution installs them, each a library in EAL's folder of them. EAL
// loads them all: a hundred, of which vhost-user ports need none. Those of devices wait until there
// is a device.
class Drivers {
 public:
  // For a file that EAL finds in a folder: whether it is a driver that EAL is not to see. It is
  // loaded by `load` then.
  static bool leave(const std::string& folder, const std::string& name);

  // Loads what was left, the first time it is called. A driver that cannot be loaded is told to
  // DPDK's log. For the control thread.
  static void load();
};

}  // namespace dpdk_vhost
