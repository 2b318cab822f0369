#include "control/stall_watch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "control/managed_port.h"
#include "port/vhost_registry.h"
#include "port/virtio.h"

namespace dpdk_vhost {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{100};
// Nobody is told of less.
constexpr milliseconds kTell{500};

// Where a Unix socket is bound; empty: nowhere.
std::string path_of(int socket, decltype(getsockname)* name) {
  sockaddr_un address{};
  socklen_t length = sizeof(address);
  if (name(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
      address.sun_family != AF_UNIX || length <= offsetof(sockaddr_un, sun_path))
    return "";
  return {address.sun_path, strnlen(address.sun_path, sizeof(address.sun_path))};
}

bool is_unix_socket(int fd) {
  int domain = 0;
  socklen_t length = sizeof(domain);
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX;
}

}  // namespace

const char* name_of(StallEvent::State state) {
  constexpr const char* kNames[] = {"stalled", "cut", "over"};
  return kNames[static_cast<uint32_t>(state)];
}

const char* name_of(StallEvent::Cause cause) {
  constexpr const char* kNames[] = {"receiving", "sending", "handling"};
  return kNames[static_cast<uint32_t>(cause)];
}

StallWatch::StallWatch(Doorbell& bell, PortTable& ports, Quiescence& quiescence,
                       milliseconds timeout, Tell tell)
    : bell_(bell),
      ports_(ports),
      reader_(quiescence),
      timeout_(timeout),
      tell_(std::move(tell)),
      thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "dpdk-stalls");
}

StallWatch::~StallWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_cv_.notify_all();
  thread_.join();
}

void StallWatch::run() {
  uint64_t heard = 0;
  // In ticks and not by the clock: of a time in which the whole process was stopped nobody is
  // guilty.
  milliseconds elapsed{0};
  bool told = false;
  bool cut = false;
  std::unique_lock lock(mutex_);
  while (!stop_cv_.wait_for(lock, kTick, [this] { return stopping_; })) {
    relieve_calls();
    const uint64_t now = Doorbell::heard();
    if (now != heard || !bell_.is_waiting()) {
      if (told) {
        found_.state = StallEvent::State::over;
        found_.for_ms = static_cast<double>(elapsed.count());
        tell_(found_);
      }
      heard = now;
      elapsed = milliseconds{0};
      told = cut = false;
      if (!bell_.is_waiting()) bell_.ring();
      continue;
    }
    elapsed += kTick;
    const bool late = timeout_.count() != 0 && elapsed >= timeout_;
    if (!told && (late || elapsed >= kTell)) {
      found_ = {};
      look(elapsed, false);
      told = found_.port || !found_.socket.empty() || found_.request != 0;
    }
    if (told && late && !cut) {
      look(elapsed, true);
      cut = found_.state == StallEvent::State::cut;
    }
  }
}

void StallWatch::relieve_calls() {
  const Quiescence::Section section(reader_);
  for (uint32_t id = 0; id < kMaxPorts; ++id)
    if (Port* const port = ports_.find(id)) static_cast<ManagedPort*>(port)->relieve_calls();
}

// "0 0x1c 0x7f... 0x8 ... stack instruction" in a call of that number; "running" and "-1 ..."
// otherwise (proc(5)).
bool StallWatch::read_call(pid_t thread, Call& call) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/syscall");
  if (!std::getline(file, call.line)) return false;
  unsigned long fd = 0, buffer = 0, length = 0;
  if (std::sscanf(call.line.c_str(), "%ld 0x%lx 0x%lx 0x%lx", &call.number, &fd, &buffer,
                  &length) != 4)
    return false;
  call.fd = static_cast<int>(fd);
  call.buffer = buffer;
  call.length = length;
  return call.number == SYS_read || call.number == SYS_recvmsg || call.number == SYS_sendmsg;
}

// A descriptor of our own for the socket that the thread waits for: what becomes of its number,
// once it goes on, concerns us no more. -1: it waits for none.
int StallWatch::hold_socket(pid_t thread, Call& call) {
  if (!read_call(thread, call)) return -1;
  const int held = fcntl(call.fd, F_DUPFD_CLOEXEC, 0);
  if (held < 0) return -1;
  // In the same call as before, so the number was that of this socket in between.
  Call again;
  if (read_call(thread, again) && again.line == call.line && is_unix_socket(held)) return held;
  ::close(held);
  return -1;
}

void StallWatch::look(milliseconds elapsed, bool cut) {
  const uint64_t heard = Doorbell::heard();
  Call call;
  const int socket = hold_socket(Doorbell::event_thread(), call);
  found_.for_ms = static_cast<double>(elapsed.count());
  if (socket >= 0) {
    if (!cut) look_at(call, socket);
    // Heard again by now: the call is another one, if all of it looks the same.
    if (cut && heard == Doorbell::heard()) {
      found_.state = StallEvent::State::cut;
      blame();
      shutdown(socket, SHUT_RDWR);
    }
    ::close(socket);
  } else if (!cut) {
    const VhostRegistry::Message message = VhostRegistry::message_in_hand();
    if (message.request == 0) return;
    found_.port = message.port;
    found_.request = message.request;
  }
  if (!cut) {
    const Quiescence::Section section(reader_);
    const Port* const port = found_.port ? ports_.find(*found_.port) : nullptr;
    if (port != nullptr) port->counters.peer.stalls.add(1);
  }
  if (!cut || found_.state == StallEvent::State::cut) tell_(found_);
}

void StallWatch::look_at(const Call& call, int socket) {
  found_.cause =
      call.number == SYS_sendmsg ? StallEvent::Cause::sending : StallEvent::Cause::receiving;
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0) found_.pid = peer.pid;
  // A server's connections have its name, a client's peer has the other's.
  found_.socket = path_of(socket, getsockname);
  if (found_.socket.empty()) found_.socket = path_of(socket, getpeername);
  if (call.number == SYS_read) {
    // librte reads what follows a header to where it ends (vhost_user.h: a packed structure).
    VhostUserMessage header{};
    const size_t bytes = offsetof(VhostUserMessage, payload);
    iovec to{&header, bytes};
    iovec from{reinterpret_cast<void*>(call.buffer - bytes), bytes};
    if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) == static_cast<ssize_t>(bytes) &&
        header.size == call.length)
      found_.request = header.request;
  }
  const Quiescence::Section section(reader_);
  for (uint32_t id = 0; id < kMaxPorts && !found_.port; ++id) {
    const Port* const port = ports_.find(id);
    if (port != nullptr && static_cast<const ManagedPort*>(port)->is_at(found_.socket))
      found_.port = id;
  }
}

// Its port is not to come back at once.
void StallWatch::blame() {
  const Quiescence::Section section(reader_);
  Port* const port = found_.port ? ports_.find(*found_.port) : nullptr;
  if (port != nullptr) static_cast<ManagedPort*>(port)->blame_peer();
}

}  // namespace dpdk_vhost
