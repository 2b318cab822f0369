#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "lcore/sleeper.h"

namespace dpdk_vhost {

// Waits for frames in the place of a thread that must not block: the main thread of a program that
// has other things to do. One wait at a time.
class Waiter {
 public:
  Waiter(const Sleeper& sleeper, std::function<void()> on_wake)
      : sleeper_(sleeper), on_wake_(std::move(on_wake)), thread_([this] { run(); }) {}

  // The caller has woken the sleeper, so that a wait under way ends.
  ~Waiter() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  void start(uint32_t timeout_ms) {
    {
      const std::lock_guard lock(mutex_);
      requested_ = timeout_ms;
    }
    changed_.notify_one();
  }

 private:
  void run() {
    for (;;) {
      uint32_t timeout_ms = 0;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || requested_; });
        if (stopping_) return;
        timeout_ms = *requested_;
        requested_.reset();
      }
      sleeper_.wait(timeout_ms);
      on_wake_();
    }
  }

  const Sleeper& sleeper_;
  const std::function<void()> on_wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<uint32_t> requested_;  // under mutex_
  bool stopping_ = false;              // under mutex_
  std::thread thread_;
};

}  // namespace dpdk_vhost
