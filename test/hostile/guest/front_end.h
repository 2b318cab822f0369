#pragma once

// The front-end of vhost-user (QEMU, docs/interop/vhost-user.rst): messages, and memory to share.

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

[[noreturn]] inline void fail(const std::string& what) {
  throw std::runtime_error(what);
}

// The switch has hung up, which is its right when we misbehave.
struct HungUp : std::runtime_error {
  HungUp() : std::runtime_error("the switch hung up") {}
};

enum Request : uint32_t {
  GET_FEATURES = 1,
  SET_FEATURES = 2,
  SET_OWNER = 3,
  SET_MEM_TABLE = 5,
  SET_LOG_BASE = 6,
  SET_VRING_NUM = 8,
  SET_VRING_ADDR = 9,
  SET_VRING_BASE = 10,
  GET_VRING_BASE = 11,
  SET_VRING_KICK = 12,
  SET_VRING_CALL = 13,
  GET_PROTOCOL_FEATURES = 15,
  SET_PROTOCOL_FEATURES = 16,
  SET_VRING_ENABLE = 18,
  SEND_RARP = 19,
  POSTCOPY_ADVISE = 28,
  POSTCOPY_LISTEN = 29,
  POSTCOPY_END = 30,
  GET_INFLIGHT_FD = 31,
  SET_INFLIGHT_FD = 32,
};

constexpr uint64_t bit(int n) {
  return uint64_t{1} << n;
}
constexpr int MRG_RXBUF = 15, LOG_ALL = 26, INDIRECT_DESC = 28, EVENT_IDX = 29,
              PROTOCOL_FEATURES = 30, VERSION_1 = 32, RING_PACKED = 34, IN_ORDER = 35;
constexpr uint64_t WANTED_PROTOCOL = bit(1) | bit(2) | bit(3);  // LOG_SHMFD, RARP, REPLY_ACK

struct Region {
  uint64_t guest, size, user, offset;
};

// Memory of a guest: contiguous here and for the guest, told to the switch in `slices`.
class Memory {
 public:
  static constexpr uint64_t kGuest = 0x1'0000'0000, kUser = 0x7000'0000'0000;

  Memory(uint64_t size, int slices) : size_((size + 4095) & ~4095ULL) {
    fd_ = memfd_create("guest", MFD_CLOEXEC);
    if (fd_ < 0 || ftruncate(fd_, static_cast<off_t>(size_)) != 0) fail("no memfd");
    void* at = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (at == MAP_FAILED) fail("no memory");
    base_ = static_cast<uint8_t*>(at);
    slice(slices, size_);
  }
  ~Memory() {
    munmap(base_, size_);
    close(fd_);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // In slices that begin at page boundaries; the first is at least `first` bytes.
  void slice(int slices, uint64_t first) {
    regions.clear();
    const uint64_t start = slices == 1 ? size_ : (first + 4095) & ~4095ULL;
    const uint64_t step =
        slices == 1 ? 0 : (((size_ - start) / static_cast<uint64_t>(slices - 1)) & ~4095ULL);
    for (uint64_t at = 0; at < size_ && regions.size() < static_cast<size_t>(slices);) {
      const bool last = regions.size() + 1 == static_cast<size_t>(slices);
      const uint64_t length = last ? size_ - at : regions.empty() ? start : step;
      regions.push_back({kGuest + at, length, kUser + at, at});
      at += length;
    }
  }
  uint64_t take(uint64_t length, uint64_t align) {
    next_ = (next_ + align - 1) & ~(align - 1);
    const uint64_t at = next_;
    next_ += length;
    if (next_ > size_) fail("the guest's memory is too small");
    return at;
  }
  uint8_t* host(uint64_t offset) { return base_ + offset; }
  uint64_t size() const { return size_; }
  int fd() const { return fd_; }
  // As a host may do that takes memory back.
  void shrink(uint64_t size) {
    if (ftruncate(fd_, static_cast<off_t>(size)) != 0) fail("cannot shrink memory");
  }

  std::vector<Region> regions;

 private:
  uint64_t size_, next_ = 0;
  int fd_ = -1;
  uint8_t* base_ = nullptr;
};

class FrontEnd {
 public:
  explicit FrontEnd(const std::string& path) : path_(path) {
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) fail("path too long");
    std::memcpy(address.sun_path, path.c_str(), path.size());
    unlink(path.c_str());
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener_, 8) != 0)
      fail("cannot listen on " + path);
  }
  ~FrontEnd() {
    hang_up();
    close(listener_);
    unlink(path_.c_str());
  }
  FrontEnd(const FrontEnd&) = delete;
  FrontEnd& operator=(const FrontEnd&) = delete;

  void accept(int timeout_ms = 10'000) {
    hang_up();
    pollfd wait{listener_, POLLIN, 0};
    if (::poll(&wait, 1, timeout_ms) != 1) fail("the switch does not connect to " + path_);
    fd_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd_ < 0) fail("accept");
  }
  void hang_up() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  void send(uint32_t request, const void* payload, uint32_t size, const std::vector<int>& fds = {},
            uint32_t flags = 1) {
    send_raw(request, flags, size, {static_cast<const uint8_t*>(payload), size_t{size}}, fds);
  }
  struct Bytes {
    const uint8_t* at;
    size_t count;
    Bytes(const uint8_t* at, size_t count) : at(at), count(count) {}
    Bytes(const std::vector<uint8_t>& from) : at(from.data()), count(from.size()) {}
  };
  // `size`: what the header says.
  void send_raw(uint32_t request, uint32_t flags, uint32_t size, Bytes payload,
                const std::vector<int>& fds) {
    uint32_t header[3] = {request, flags, size};
    iovec parts[2] = {{header, sizeof(header)}, {const_cast<uint8_t*>(payload.at), payload.count}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = payload.count != 0 ? 2 : 1;
    alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))]{};
    if (!fds.empty()) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
      cmsghdr* const c = CMSG_FIRSTHDR(&message);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
      std::memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
    }
    if (sendmsg(fd_, &message, MSG_NOSIGNAL) < 0) throw HungUp();
  }
  // So many bytes of nothing.
  void send_bytes(size_t count) {
    const std::vector<uint8_t> zeros(count);
    if (::send(fd_, zeros.data(), count, MSG_NOSIGNAL) < 0) throw HungUp();
  }
  void drop_answers() {
    char bytes[512];
    ssize_t got = 0;
    while ((got = recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
    }
    if (got == 0) throw HungUp();
  }
  void send_number(uint32_t request, uint64_t number, const std::vector<int>& fds = {}) {
    send(request, &number, sizeof(number), fds);
  }
  void send_state(uint32_t request, uint32_t index, uint32_t number) {
    const uint32_t state[2] = {index, number};
    send(request, state, sizeof(state));
  }
  // What the switch answers to `request`; its first eight bytes.
  uint64_t reply(uint32_t request) {
    uint32_t header[3];
    read_all(header, sizeof(header));
    std::vector<uint8_t> payload(header[2]);
    read_all(payload.data(), payload.size());
    if (header[0] != request)
      fail("answer to " + std::to_string(header[0]) + " instead of " + std::to_string(request));
    uint64_t first = 0;
    std::memcpy(&first, payload.data(), std::min<size_t>(8, payload.size()));
    return first;
  }
  uint64_t ask(uint32_t request) {
    send(request, nullptr, 0);
    return reply(request);
  }
  // Waits until all before is dealt with.
  void sync() { ask(GET_FEATURES); }
  // With REPLY_ACK: whether the switch took it.
  bool asks(uint32_t request, const void* payload, uint32_t size, const std::vector<int>& fds = {}) {
    send(request, payload, size, fds, 1 | 8);
    return reply(request) == 0;
  }
  // The payload of SET_MEM_TABLE.
  static std::vector<uint8_t> table(const std::vector<Region>& regions) {
    std::vector<uint8_t> payload(8 + 32 * regions.size());
    const uint32_t count = static_cast<uint32_t>(regions.size());
    std::memcpy(payload.data(), &count, 4);
    for (size_t i = 0; i < regions.size(); ++i)
      std::memcpy(payload.data() + 8 + 32 * i, &regions[i], 32);
    return payload;
  }
  void set_memory(const Memory& memory, const std::vector<Region>& regions) {
    const auto payload = table(regions);
    send(SET_MEM_TABLE, payload.data(), static_cast<uint32_t>(payload.size()),
         std::vector<int>(regions.size(), memory.fd()));
  }

 private:
  void read_all(void* to, size_t length) {
    auto* at = static_cast<uint8_t*>(to);
    while (length > 0) {
      pollfd wait{fd_, POLLIN, 0};
      if (::poll(&wait, 1, 5000) != 1) fail("no answer in 5 s");
      const ssize_t got = recv(fd_, at, length, 0);
      if (got <= 0) throw HungUp();
      at += got;
      length -= static_cast<size_t>(got);
    }
  }

  const std::string path_;
  int listener_ = -1;
  int fd_ = -1;
};
