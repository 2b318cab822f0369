#include "port/call_fds.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace dpdk_vhost {
namespace {

// Others may fill it again before the one that waits has its turn.
constexpr int kRounds = 1000;

bool is_full(int fd) {
  pollfd found{fd, POLLOUT, 0};
  return poll(&found, 1, 0) == 0;
}

}  // namespace

void CallFds::set(uint32_t vring, int fd) {
  if (vring >= fds_.size()) return;
  const int own = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
  const std::lock_guard lock(mutex_);
  if (fds_[vring] >= 0) ::close(fds_[vring]);
  fds_[vring] = own;
}

void CallFds::clear() {
  const std::lock_guard lock(mutex_);
  for (int& fd : fds_) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
}

bool CallFds::relieve() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return false;
  std::array<pollfd, 2 * kMaxQueuePairs> all;
  nfds_t count = 0;
  for (const int fd : fds_)
    if (fd >= 0) all[count++] = {fd, POLLOUT, 0};
  if (count == 0 || poll(all.data(), count, 0) == static_cast<int>(count)) return false;
  for (nfds_t i = 0; i < count; ++i) {
    const pollfd& one = all[i];
    if (one.revents != 0) continue;
    for (int round = 0; round < kRounds && is_full(one.fd); ++round) {
      uint64_t calls = 0;
      iovec to{&calls, sizeof(calls)};
      // Not by the flag of the file: the peer could have us wait as well.
      if (preadv2(one.fd, &to, 1, -1, RWF_NOWAIT) < 0 && errno != EAGAIN) break;
    }
    fcntl(one.fd, F_SETFL, fcntl(one.fd, F_GETFL) | O_NONBLOCK);
  }
  return true;
}

}  // namespace dpdk_vhost
