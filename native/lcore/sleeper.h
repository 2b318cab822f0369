#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <utility>

#include "lcore/queue_list.h"

namespace dpdk_vhost {

// Waits on the guests' kick eventfds and on the lcore's own wake-up eventfd. `arm` and `disarm` run
// on the lcore's thread inside a section; `wait` touches no device and runs outside one, on any one
// thread.
class Sleeper {
 public:
  explicit Sleeper(int wake_fd);
  ~Sleeper();
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  void arm(const QueueList& queues);
  void disarm(const QueueList& queues);
  // The next wait takes no longer: frames that a shaper holds are due then.
  void limit(uint32_t ms) { limit_ms_ = ms; }
  // Returns when something was signalled or the time is over; sooner where a queue has to be
  // polled.
  void wait(uint32_t timeout_ms) const;

  // From now on every wait of the process returns at once: node waits for a Worker that is to end,
  // however long it sleeps.
  static void end_sleeps() { sleeps_ended_.store(true); }

 private:
  struct Watched {
    int fd;          // a duplicate of the kick eventfd: librte may close its own at any time
    uint32_t epoch;  // of the port when it was made
    bool seen;       // during the current arm
  };
  void watch(Watched& watched, uint32_t epoch, int kick_fd);
  void forget(Watched& watched);

  static inline std::atomic<bool> sleeps_ended_{false};  // set by any thread, read by sleepers

  const int epoll_fd_;
  const int wake_fd_;
  std::map<std::pair<uint32_t, uint16_t>, Watched> watched_;
  bool must_poll_ = false;
  uint32_t limit_ms_ = UINT32_MAX;
};

}  // namespace dpdk_vhost
