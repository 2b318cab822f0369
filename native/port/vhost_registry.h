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

// Removes a socket that a dead process left at `path`. Throws Failure when somebody listens there
// (ERR_SOCKET_IN_USE) or when it is no socket (ERR_PATH_NOT_SOCKET): neither is ever removed.
void clear_stale_socket(const std::string& path);

}  // namespace dpdk_vhost
