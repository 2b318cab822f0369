#include "lcore/sleeper.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "port/port.h"

namespace dpdk_vhost {
namespace {

// How long to sleep where a device cannot signal: short enough for its ring not to overflow at
// moderate rates, long enough to cost less than one percent of a core.
constexpr uint32_t kPollIntervalMs = 1;

bool add(int epoll_fd, int fd) {
  epoll_event event{};
  // Edge-triggered, so that the counters need not be read: every new kick is a new edge.
  event.events = EPOLLIN | EPOLLET;
  event.data.fd = fd;
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

Sleeper::Sleeper(int wake_fd) : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), wake_fd_(wake_fd) {
  if (epoll_fd_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  if (!add(epoll_fd_, wake_fd_))
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

Sleeper::~Sleeper() {
  for (auto& entry : watched_) forget(entry.second);
  close(epoll_fd_);
}

void Sleeper::watch(Watched& watched, uint32_t epoch, int kick_fd) {
  forget(watched);
  watched.epoch = epoch;
  if (kick_fd < 0) return;
  watched.fd = fcntl(kick_fd, F_DUPFD_CLOEXEC, 0);
  // The guest's choice: a regular file cannot be waited for (EPERM), and is its loss.
  if (watched.fd >= 0) add(epoll_fd_, watched.fd);
}

void Sleeper::forget(Watched& watched) {
  if (watched.fd < 0) return;
  // Closing alone would leave it in the set, since librte holds the same open file.
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, watched.fd, nullptr);
  close(watched.fd);
  watched.fd = -1;
}

void Sleeper::arm(const QueueList& queues) {
  must_poll_ = false;
  for (auto& entry : watched_) entry.second.seen = false;
  for (const RxQueue& queue : queues) {
    const uint32_t epoch = queue.port->epoch();
    const int kick_fd = queue.port->arm(queue.queue, true);
    // Nobody signals that another lcore has no more of its frames in hand.
    if (kick_fd == kMustPoll || queue.in_hand->value.load(std::memory_order_acquire))
      must_poll_ = true;
    auto [place, fresh] =
        watched_.try_emplace({queue.port->id(), queue.queue}, Watched{-1, epoch - 1, true});
    place->second.seen = true;
    if (fresh || place->second.epoch != epoch) watch(place->second, epoch, kick_fd);
  }
  for (auto place = watched_.begin(); place != watched_.end();) {
    if (place->second.seen) {
      ++place;
      continue;
    }
    forget(place->second);
    place = watched_.erase(place);
  }
}

void Sleeper::disarm(const QueueList& queues) {
  for (const RxQueue& queue : queues) queue.port->arm(queue.queue, false);
}

void Sleeper::wait(uint32_t timeout_ms) const {
  if (sleeps_ended_.load()) return;
  epoll_event events[8];
  const uint32_t limit = must_poll_ ? std::min(limit_ms_, kPollIntervalMs) : limit_ms_;
  const uint32_t timeout = std::min(timeout_ms, limit);
  epoll_wait(epoll_fd_, events, 8, static_cast<int>(timeout));
}

}  // namespace dpdk_vhost
