#include "port/message_fds.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "port/doorbell.h"
#include "port/virtio.h"

namespace dpdk_vhost {
namespace {

constexpr size_t kMaxFds = 8;  // VHOST_MEMORY_MAX_NREGIONS in librte's sources
// Beyond any payload.
constexpr size_t kSearched = 2048;

// Where librte's event thread reads a message to; null: not known. That thread's.
void* message_at = nullptr;

// From the begin of a message: the descriptors, and after them how many they are. 0: not known.
size_t fds_at = 0;

struct Fds {
  std::array<int, kMaxFds> fds;
  int count;
};

// By way of the kernel: what lies behind a message is not ours.
bool copy(const void* from, void* to, size_t length) {
  iovec target{to, length};
  iovec source{const_cast<void*>(from), length};
  return process_vm_readv(getpid(), &target, 1, &source, 1, 0) == static_cast<ssize_t>(length);
}

bool is_same_file(int fd, int probe) {
  struct stat one {
  }, other{};
  return fd >= 0 && fd != probe && fstat(fd, &one) == 0 && fstat(probe, &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// Where /proc does not tell, whatever it is will do.
bool is_eventfd(int fd) {
  constexpr std::string_view kName = "anon_inode:[eventfd]";
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  std::array<char, kName.size() + 1> name;
  const ssize_t length = readlink(path.c_str(), name.data(), name.size());
  return length < 0 || std::string_view(name.data(), static_cast<size_t>(length)) == kName;
}

Fds fds_of(const void* message) {
  Fds found{};
  if (fds_at == 0 || !copy(static_cast<const uint8_t*>(message) + fds_at, &found, sizeof(found)) ||
      found.count < 0 || found.count > static_cast<int>(kMaxFds))
    return {};
  return found;
}

struct __attribute__((packed)) Table {
  VhostUserMessage header;  // its payload: how many regions there are
  struct {
    uint64_t guest, size, user, offset;
  } regions[kMaxFds];
};

}  // namespace

void MessageFds::learn(const void* message, int probe, size_t count) {
  std::array<uint8_t, kSearched> bytes;
  if (fds_at != 0 || !copy(message, bytes.data(), bytes.size())) return;
  for (size_t at = sizeof(VhostUserMessage); at + sizeof(Fds) <= bytes.size(); ++at) {
    Fds found;
    std::memcpy(&found, bytes.data() + at, sizeof(found));
    if (found.count != static_cast<int>(count)) continue;
    if (!std::all_of(found.fds.begin(), found.fds.begin() + count,
                     [probe](int fd) { return is_same_file(fd, probe); }))
      continue;
    fds_at = at;
    return;
  }
}

bool MessageFds::close_all(void* message) {
  Fds found = fds_of(message);
  if (found.count == 0) return false;
  for (int i = 0; i < found.count; ++i) {
    int& fd = found.fds[static_cast<size_t>(i)];
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  // Whoever closes them again closes what others have opened meanwhile.
  std::memcpy(static_cast<uint8_t*>(message) + fds_at, found.fds.data(), sizeof(found.fds));
  return true;
}

void MessageFds::note(void* message) {
  message_at = message;
}

void MessageFds::close_refused(const std::string& line) {
  constexpr std::string_view kSaid = "invalid vring index: ";
  const size_t at = line.find(kSaid);
  if (at == std::string::npos || Doorbell::event_thread() == 0 ||
      static_cast<pid_t>(syscall(SYS_gettid)) != Doorbell::event_thread())
    return;
  struct __attribute__((packed)) {
    VhostUserMessage header;  // its payload begins with the number of a ring
    uint64_t offset;
    uint16_t rings;  // of SET_INFLIGHT_FD
  } message{};
  if (message_at == nullptr || !copy(message_at, &message, sizeof(message))) return;
  const bool counts = message.header.request == kVhostUserSetInflightFd;
  const auto ring = counts ? message.rings - 1U : static_cast<uint32_t>(message.header.payload);
  // It is that message indeed.
  if (line.compare(at + kSaid.size(), std::string::npos, std::to_string(ring)) == 0)
    close_all(message_at);
}

int MessageFds::first(const void* message) {
  const Fds found = fds_of(message);
  return found.count == 0 ? -1 : found.fds[0];
}

bool MessageFds::can_be_called(const void* message) {
  const Fds found = fds_of(message);
  for (int i = 0; i < found.count; ++i) {
    const int fd = found.fds[static_cast<size_t>(i)];
    if (!is_eventfd(fd)) return false;
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return false;
  }
  return true;
}

bool MessageFds::can_be_mapped(const void* message) {
  if (fds_at == 0) return true;
  Table table{};
  if (!copy(message, &table, sizeof(table))) return true;
  const Fds found = fds_of(message);
  const auto regions = static_cast<uint32_t>(table.header.payload);
  if (regions == 0 || regions > kMaxFds || found.count != static_cast<int>(regions)) return false;
  for (uint32_t i = 0; i < regions; ++i) {
    const auto& region = table.regions[i];
    const uint64_t length = region.size + region.offset;
    struct stat file {};
    if (region.size == 0 || length < region.size || fstat(found.fds[i], &file) != 0) return false;
    // As librte will do it.
    const auto block = static_cast<uint64_t>(file.st_blksize);
    const uint64_t whole = (length + block - 1) / block * block;
    if (whole < length) return false;
    void* const at = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_SHARED, found.fds[i], 0);
    if (at == MAP_FAILED) return false;
    munmap(at, whole);
  }
  return true;
}

}  // namespace dpdk_vhost
