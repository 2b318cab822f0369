#pragma once

#include <rte_vhost.h>

#include <string>

namespace dpdk_vhost {

class VhostPort;

// Leads librte's callbacks, which know only a vid and a path, to their port.
class VhostRegistry {
 public:
  // What librte's event thread does, or did last.
  struct Message {
    uint32_t port;
    uint64_t serial;
    uint64_t generation;
    uint32_t request;  // 0: nothing
  };
  // Any thread, signal handlers included.
  static Message message_in_hand();

  // librte's event thread, while it handles no message of a port: lets lcores go on with rings
  // that were closed for a message which librte then refused.
  static void between_messages();

  // Control thread.
  static void add(const std::string& path, VhostPort* port);
  static void remove(const std::string& path);
  static void forget_device(int vid, VhostPort* port);
  // From now on `between_messages` leaves the port alone: its device may go at any time.
  static void leave_alone(VhostPort* port, bool alone);

  // librte keeps the pointer; the structure lives as long as the process.
  static const rte_vhost_device_ops* callbacks();
};

}  // namespace dpdk_vhost
