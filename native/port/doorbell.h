#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace dpdk_vhost {

// librte's one event thread waits on the sockets it knew when it last looked, for up to a second:
// a socket that starts to listen is not served, and the peer of one that was closed does not hear
// of it, until then. A connection of our own, at which anything may happen at any time, wakes it.
// That it hears the bell says that it is between two messages of others.
class Doorbell {
 public:
  Doorbell();
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  // Whether a line of librte's log is about a doorbell, which is nobody's business.
  static bool is_about(const std::string& line);

  // Any thread; never waits. Without effect where the connection could not be made.
  void ring();

  // Any thread. How often librte's event thread heard a bell of this process, and its id; 0: not
  // yet.
  static uint64_t heard();
  static pid_t event_thread();
  // Whether it was rung and not heard yet.
  bool is_waiting() const { return rung_.load(std::memory_order_acquire) > heard(); }

 private:
  void send_probe();

  std::string path_;
  int fd_ = -1;
  std::atomic<uint64_t> rung_;
};

}  // namespace dpdk_vhost
