#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "eal/quiescence.h"
#include "port/doorbell.h"
#include "port/port_table.h"

namespace dpdk_vhost {

// A peer holds up librte's event thread, and with it every other port's.
struct StallEvent {
  enum class State : uint32_t { stalled, cut, over };
  // What the thread waits for: the rest of a message, that its answers are read, or the end of
  // what it does about a message.
  enum class Cause : uint32_t { receiving, sending, handling };

  State state = State::stalled;
  Cause cause = Cause::handling;
  std::optional<uint32_t> port;
  std::string socket;
  pid_t pid = 0;         // of the peer; 0: not known
  uint32_t request = 0;  // the message, by its number in the protocol; 0: not known
  double for_ms = 0;
};
const char* name_of(StallEvent::State state);
const char* name_of(StallEvent::Cause cause);

// librte serves all sockets from one thread, which reads the rest of a message, and writes an
// answer, for as long as the peer likes. This thread rings a bell that the other one hears between
// two messages. When it does not, the kernel says on which socket it waits.
class StallWatch {
 public:
  using Tell = std::function<void(const StallEvent&)>;

  // `timeout`: when a peer is cut off; 0: never. `tell` is called on the thread of the watch.
  StallWatch(Doorbell& bell, PortTable& ports, Quiescence& quiescence,
             std::chrono::milliseconds timeout, Tell tell);
  ~StallWatch();
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

 private:
  // A system call that the event thread is in.
  struct Call {
    std::string line;  // as the kernel tells it: the same while it is the same call
    long number = -1;
    int fd = -1;
    uintptr_t buffer = 0;
    size_t length = 0;
  };
  static bool read_call(pid_t thread, Call& call);
  static int hold_socket(pid_t thread, Call& call);

  void run();
  void look(std::chrono::milliseconds elapsed, bool cut);
  void look_at(const Call& call, int socket);
  void blame();
  void relieve_calls();

  Doorbell& bell_;
  PortTable& ports_;
  const Quiescence::Reader reader_;
  const std::chrono::milliseconds timeout_;
  const Tell tell_;
  StallEvent found_;  // the stall that there is

  std::mutex mutex_;
  std::condition_variable stop_cv_;
  bool stopping_ = false;  // under mutex_
  std::thread thread_;     // last: it uses everything above
};

}  // namespace dpdk_vhost
