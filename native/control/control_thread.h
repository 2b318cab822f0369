#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "control/path_watch.h"

namespace dpdk_vhost {

// The thread that registers, unregisters, starts and reconnects ports, so that the JavaScript
// thread never waits on a thread of librte_vhost. Everything a port does besides moving frames
// happens here, one task after another.
class ControlThread {
 public:
  using Task = std::function<void()>;

  // `on_wake` runs on the thread after every wake-up, before tasks.
  ControlThread(Task on_wake, PathWatch& paths);
  ~ControlThread();
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  // Any thread.
  void post(Task task);
  // Any thread, callbacks included: allocates nothing and takes no lock.
  void wake();
  // Control thread only.
  void after(std::chrono::milliseconds delay, Task task);

  // Ends the thread after the tasks already posted. False when it did not end in time (a peer that
  // stalls librte's event thread can hold an unregister); the thread is then left to the end of the
  // process.
  bool stop(std::chrono::milliseconds deadline);

 private:
  using Clock = std::chrono::steady_clock;
  void run();
  int until_next_timer() const;

  const Task on_wake_;
  PathWatch& paths_;
  const int wake_fd_;
  std::mutex mutex_;
  std::condition_variable ended_cv_;
  std::deque<Task> tasks_;                         // under mutex_
  bool stopping_ = false;                          // under mutex_
  bool ended_ = false;                             // under mutex_
  std::multimap<Clock::time_point, Task> timers_;  // control thread
  std::thread thread_;
};

}  // namespace dpdk_vhost
