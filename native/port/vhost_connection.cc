#include <rte_vhost.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "port/vhost_port.h"
#include "port/vhost_registry.h"
#include "port/virtio.h"

// The life of a vhost-user port's connection. All of it runs on the control thread.

namespace dpdk_vhost {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstBackOff{5};
constexpr milliseconds kLastBackOff{1000};
constexpr milliseconds kMissingSocketPoll{10};

}  // namespace

void VhostPort::register_socket() {
  // Linear buffers: a frame never spans mbufs, so JavaScript sees it whole; this also withdraws
  // host TSO and UFO.
  uint64_t flags = RTE_VHOST_USER_LINEARBUF_SUPPORT | RTE_VHOST_USER_NET_COMPLIANT_OL_FLAGS;
  if (!options_.server) flags |= RTE_VHOST_USER_CLIENT | RTE_VHOST_USER_NO_RECONNECT;
  const char* path = options_.path.c_str();
  if (rte_vhost_driver_register(path, flags) != 0) {
    throw Failure("ERR_PORT_REGISTER", "librte_vhost refused to register " + options_.path);
  }
  registered_ = true;
  rte_vhost_driver_disable_features(path, options_.disabled_features | kNeverOffered);
  rte_vhost_driver_callback_register(path, VhostRegistry::callbacks());
}

void VhostPort::unregister_socket() {
  if (!registered_) return;
  // Waits for a callback that is under way, and calls on_device_gone here if a device runs.
  rte_vhost_driver_unregister(options_.path.c_str());
  registered_ = false;
  // librte calls no destroy_connection in this case.
  VhostRegistry::forget_device(connection_.exchange(-1), this);
}

void VhostPort::open() {
  VhostRegistry::add(options_.path, this);
  if (!options_.server) {
    connect();
    return;
  }
  try {
    clear_stale_socket(options_.path);
    register_socket();
    if (rte_vhost_driver_start(options_.path.c_str()) != 0) {
      const std::string why = strerror(errno);
      unregister_socket();
      throw Failure("ERR_SOCKET_LISTEN", "cannot listen at " + options_.path + ": " + why);
    }
  } catch (...) {
    VhostRegistry::remove(options_.path);
    throw;
  }
  enter(PortState::listening);
}

void VhostPort::close() {
  unregister_socket();
  VhostRegistry::remove(options_.path);
  enter(PortState::closed);
}

void VhostPort::connect() {
  if (registered_) return;
  struct stat found {};
  if (stat(options_.path.c_str(), &found) != 0) {
    const int error = errno;
    enter(PortState::connecting,
          error == ENOENT ? "no socket at " + options_.path + " yet; the peer has to listen there"
                          : "cannot reach " + options_.path + ": " + strerror(error));
    later(kMissingSocketPoll, &VhostPort::connect);
    return;
  }
  if (!S_ISSOCK(found.st_mode)) {
    retry(options_.path + " is not a socket");
    return;
  }
  if (access(options_.path.c_str(), R_OK | W_OK) != 0) {
    retry("no permission to connect to " + options_.path + " (" + strerror(errno) +
          "); give this process's user or group write access to the socket");
    return;
  }
  try {
    register_socket();
  } catch (const Failure& failure) {
    retry(failure.what());
    return;
  }
  if (rte_vhost_driver_start(options_.path.c_str()) == 0)
    return;  // on_connection has told the rest
  unregister_socket();
  retry("nobody listens at " + options_.path + " (connection refused)");
}

void VhostPort::retry(const std::string& reason) {
  enter(PortState::connecting, reason);
  back_off_ = back_off_.count() == 0 ? kFirstBackOff : std::min(back_off_ * 2, kLastBackOff);
  later(back_off_, &VhostPort::connect);
}

void VhostPort::lose_connection() {
  enter(PortState::disconnected,
        was_ready_ ? "the peer closed the connection"
                   : "the peer closed the connection before the device was ready; its "
                     "features may not match those offered");
  if (options_.server) {
    enter(PortState::listening);
    return;
  }
  unregister_socket();
  if (was_ready_) {
    back_off_ = milliseconds{0};
    connect();
  } else {
    retry("the last connection ended before the device was ready");
  }
}

void VhostPort::handle(const Notice& notice) {
  switch (notice.kind) {
    case Notice::Kind::connected:
      was_ready_ = false;
      enter(PortState::connected);
      break;
    case Notice::Kind::refused:
      publish("a second connection to " + options_.path +
              " was refused; one peer is connected already");
      break;
    case Notice::Kind::ready:
      was_ready_ = true;
      back_off_ = milliseconds{0};
      enter(PortState::ready);
      break;
    case Notice::Kind::stopped:
      enter(PortState::stopped, "the device was stopped");
      break;
    case Notice::Kind::queues:
      publish_queues();
      break;
    case Notice::Kind::disconnected:
      // A resync may have dealt with this one, and the next connection may be up.
      if (connection_.load() < 0 && notice.generation == generation()) lose_connection();
      break;
    case Notice::Kind::link:
      break;
  }
}

void VhostPort::resync() {
  if (connection_.load() < 0) {
    if (registered_ && !options_.server) lose_connection();
    return;
  }
  was_ready_ = was_ready_ || ready();
  enter(ready() ? PortState::ready : PortState::connected);
}

}  // namespace dpdk_vhost
