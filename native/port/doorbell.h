#pragma once

#include <string>

namespace dpdk_vhost {

// librte's one event thread waits on the sockets it knew when it last looked, for up to a second:
// a socket that starts to listen is not served, and the peer of one that was closed does not hear
// of it, until then. A connection of our own, at which anything may happen at any time, wakes it.
// Control thread only.
class Doorbell {
 public:
  Doorbell();
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  // Whether a line of librte's log is about a doorbell, which is nobody's business.
  static bool is_about(const std::string& line);

  // Never waits. Without effect where the connection could not be made.
  void ring();

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace dpdk_vhost
