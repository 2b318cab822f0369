#pragma once

#include <array>
#include <cstdint>
#include <mutex>

#include "constants.h"

namespace dpdk_vhost {

// Descriptors of our own for the eventfds by which a peer is called. The file is the peer's too:
// one that makes writers wait, and counts it up to its end, would have an lcore wait for ever.
class CallFds {
 public:
  CallFds() { fds_.fill(-1); }
  ~CallFds() { clear(); }
  CallFds(const CallFds&) = delete;
  CallFds& operator=(const CallFds&) = delete;

  // librte's event thread, or whoever unregisters the socket. -1: none.
  void set(uint32_t vring, int fd);
  void clear();

  // Any thread; never waits. Lets go on who waits for one that counts no further, which takes
  // somebody who means it. Returns whether there was one.
  bool relieve();

 private:
  std::mutex mutex_;
  std::array<int, 2 * kMaxQueuePairs> fds_;  // by vring, under mutex_
};

}  // namespace dpdk_vhost
