#include "control/control_thread.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace dpdk_vhost {

ControlThread::ControlThread(Task on_wake, PathWatch& paths)
    : on_wake_(std::move(on_wake)),
      paths_(paths),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (wake_fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "dpdk-control");
}

ControlThread::~ControlThread() {
  if (thread_.joinable()) thread_.join();
  close(wake_fd_);
}

void ControlThread::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake();
}

void ControlThread::wake() {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then the thread is awake already.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

void ControlThread::after(std::chrono::milliseconds delay, Task task) {
  timers_.emplace(Clock::now() + delay, std::move(task));
}

int ControlThread::until_next_timer() const {
  if (timers_.empty()) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1000));
}

void ControlThread::run() {
  for (;;) {
    // poll ignores a negative descriptor.
    std::array<pollfd, 2> waiting{{{wake_fd_, POLLIN, 0}, {paths_.fd(), POLLIN, 0}}};
    poll(waiting.data(), waiting.size(), until_next_timer());
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t taken = read(wake_fd_, &count, sizeof(count));

    on_wake_();
    if (waiting[1].revents != 0) paths_.dispatch();
    while (!timers_.empty() && timers_.begin()->first <= Clock::now()) {
      const Task due = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      due();
    }
    for (;;) {
      Task task;
      {
        const std::lock_guard lock(mutex_);
        if (tasks_.empty()) {
          if (!stopping_) break;
          ended_ = true;
          ended_cv_.notify_all();
          return;
        }
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }
}

bool ControlThread::stop(std::chrono::milliseconds deadline) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  {
    std::unique_lock lock(mutex_);
    if (!ended_cv_.wait_for(lock, deadline, [this] { return ended_; })) return false;
  }
  thread_.join();
  return true;
}

}  // namespace dpdk_vhost
