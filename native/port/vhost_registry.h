#pragma once

#include <rte_vhost.h>

#include <string>

namespace dpdk_vhost {

class VhostPort;

// Leads librte's callbacks, which know only a vid and a path, to their port.
class VhostRegistry {
 public:
  // Control thread.
  static void add(const std::string& path, VhostPort* port);
  static void remove(const std::string& path);
  static void forget_device(int vid, VhostPort* port);

  // librte keeps the pointer; the structure lives as long as the process.
  static const rte_vhost_device_ops* callbacks();
};

}  // namespace dpdk_vhost
