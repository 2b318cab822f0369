#pragma once

#include <cstdint>

namespace dpdk_vhost {

// A guest's memory is a file that its host, or the guest's own process, may shorten at any time:
// whoever touches what is gone gets SIGBUS, in our copy as in librte's. The page is then replaced
// by one of our own, so that the thread goes on, and the port is told to hang up
// (docs/decisions/0019-lost-memory.md).
class MemoryGuard {
 public:
  struct Owner {
    uint32_t port;
    uint64_t serial;
    uint64_t generation;
  };

  // Once for the process.
  static void install();

  // librte's event thread: what is mapped for the device now.
  static void watch(int vid, const Owner& owner);
  // Whoever ends the device.
  static void forget(int vid);
};

}  // namespace dpdk_vhost
