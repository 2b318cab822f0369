#include "port/doorbell.h"

#include <rte_vhost.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "port/message_fds.h"
#include "port/vhost_registry.h"
#include "port/virtio.h"

namespace dpdk_vhost {
namespace {

constexpr char kFolder[] = "/vhost-doorbell-";
// The smallest message that is answered.
constexpr std::array<uint32_t, 3> kMessage{kVhostUserGetFeatures, kVhostUserVersion, 0};

std::atomic<uint64_t> heard_bells{0};
std::atomic<pid_t> event_thread_id{0};

// The file whose descriptors the first message of a bell has; -1: that was heard.
std::atomic<int> probe{-1};
constexpr size_t kProbes = 3;

rte_vhost_msg_result hear(int, void* message) {
  MessageFds::note(message);
  event_thread_id.store(static_cast<pid_t>(syscall(SYS_gettid)), std::memory_order_relaxed);
  VhostRegistry::between_messages();
  heard_bells.fetch_add(1, std::memory_order_release);
  const int file = probe.load(std::memory_order_acquire);
  if (file < 0) return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
  MessageFds::learn(message, file, kProbes);
  MessageFds::close_all(message);
  ::close(file);
  probe.store(-1, std::memory_order_release);
  return RTE_VHOST_MSG_RESULT_OK;
}
constexpr rte_vhost_user_extern_ops kHear{hear, nullptr};

// No device ever runs on this connection.
const rte_vhost_device_ops* no_callbacks() {
  static const rte_vhost_device_ops operations = [] {
    rte_vhost_device_ops filled{};
    filled.new_device = [](int) { return -1; };
    filled.destroy_device = [](int) {};
    filled.vring_state_changed = [](int, uint16_t, int) { return 0; };
    filled.features_changed = [](int, uint64_t) { return 0; };
    filled.new_connection = [](int vid) {
      return rte_vhost_extern_callback_register(vid, &kHear, nullptr);
    };
    filled.destroy_connection = [](int) {};
    return filled;
  }();
  return &operations;
}

std::string make_folder() {
  const char* base = getenv("TMPDIR");
  std::string name =
      std::string(base != nullptr && *base == '/' ? base : "/tmp") + kFolder + "XXXXXX";
  return mkdtemp(name.data()) == nullptr ? "" : name;
}

// Lets librte connect to a socket of ours, once. Returns our end, or -1.
int connect_librte(const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof(address.sun_path)) return -1;
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.c_str(), path.size());
  const int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listening < 0) return -1;
  int connected = -1;
  if (bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      listen(listening, 1) == 0 &&
      rte_vhost_driver_register(path.c_str(),
                                RTE_VHOST_USER_CLIENT | RTE_VHOST_USER_NO_RECONNECT) == 0) {
    rte_vhost_driver_callback_register(path.c_str(), no_callbacks());
    if (rte_vhost_driver_start(path.c_str()) == 0) {
      connected = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    }
    if (connected < 0) rte_vhost_driver_unregister(path.c_str());
  }
  ::close(listening);
  unlink(path.c_str());
  return connected;
}

}  // namespace

uint64_t Doorbell::heard() {
  return heard_bells.load(std::memory_order_acquire);
}

pid_t Doorbell::event_thread() {
  return event_thread_id.load(std::memory_order_relaxed);
}

Doorbell::Doorbell() : rung_(heard()) {
  const std::string folder = make_folder();
  if (folder.empty()) return;
  path_ = folder + "/bell";
  fd_ = connect_librte(path_);
  if (fd_ >= 0) send_probe();
  rmdir(folder.c_str());
}

Doorbell::~Doorbell() {
  if (fd_ < 0) return;
  rte_vhost_driver_unregister(path_.c_str());
  ::close(fd_);
}

bool Doorbell::is_about(const std::string& line) {
  return line.find(kFolder) != std::string::npos;
}

// The first message shows where librte keeps the descriptors of one.
void Doorbell::send_probe() {
  const int file = memfd_create("doorbell", MFD_CLOEXEC);
  if (file < 0) return;
  probe.store(file, std::memory_order_release);
  iovec part{const_cast<uint32_t*>(kMessage.data()), sizeof(kMessage)};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kProbes * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(kProbes * sizeof(int));
  const std::array<int, kProbes> files{file, file, file};
  memcpy(CMSG_DATA(rights), files.data(), sizeof(files));
  rung_.fetch_add(1, std::memory_order_acq_rel);
  if (sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) return;
  rung_.fetch_sub(1, std::memory_order_acq_rel);
  probe.store(-1, std::memory_order_release);
  ::close(file);
}

void Doorbell::ring() {
  if (fd_ < 0) return;
  // The answers are of no interest.
  std::array<char, 256> answers;
  while (recv(fd_, answers.data(), answers.size(), MSG_DONTWAIT) > 0) {
  }
  rung_.fetch_add(1, std::memory_order_acq_rel);
  // Fails when it has been rung often and not been heard yet.
  if (send(fd_, kMessage.data(), sizeof(kMessage), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
    rung_.fetch_sub(1, std::memory_order_acq_rel);
}

}  // namespace dpdk_vhost
