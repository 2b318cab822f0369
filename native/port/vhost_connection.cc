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

// How often a path is looked at that cannot be watched.
constexpr milliseconds kLookOften{10};

// So many connections in a row that end within so short a time, before the device is ready, are no
// accident.
constexpr milliseconds kAtOnce{1000};
constexpr uint32_t kEarlyEndsOfMismatch = 3;

// TypeScript knows the names: the message is the mask alone.
Failure missing_features(uint64_t mask) {
  return Failure("ERR_PORT_FEATURES", std::to_string(mask));
}

}  // namespace

// --- registration with librte ---

void VhostPort::register_socket() {
  // Linear buffers: a frame never spans mbufs, so JavaScript sees it whole; this also withdraws
  // host TSO and UFO.
  uint64_t flags = RTE_VHOST_USER_LINEARBUF_SUPPORT | RTE_VHOST_USER_NET_COMPLIANT_OL_FLAGS;
  if (!options_.server) flags |= RTE_VHOST_USER_CLIENT | RTE_VHOST_USER_NO_RECONNECT;
  if (options_.vring_stats) flags |= RTE_VHOST_USER_NET_STATS_ENABLE;
  const char* path = options_.path.c_str();
  if (rte_vhost_driver_register(path, flags) != 0) {
    throw Failure("ERR_PORT_REGISTER", "librte_vhost refused to register " + options_.path);
  }
  registered_ = true;
  VhostRegistry::leave_alone(this, false);
  rte_vhost_driver_disable_features(path, options_.disabled_features | kNeverOffered);
  rte_vhost_driver_get_features(path, &offered_features_);
  if (options_.pinned_features != 0) {
    const uint64_t missing = options_.pinned_features & ~offered_features_;
    if (missing != 0) {
      unregister_socket();
      throw missing_features(missing);
    }
    rte_vhost_driver_disable_features(path, offered_features_ & ~options_.pinned_features);
    offered_features_ = options_.pinned_features;
  }
  rte_vhost_driver_callback_register(path, VhostRegistry::callbacks());
}

void VhostPort::unregister_socket() {
  if (!registered_) return;
  VhostRegistry::leave_alone(this, true);
  // Waits for a callback that is under way, and calls on_device_gone here if a device runs.
  rte_vhost_driver_unregister(options_.path.c_str());
  registered_ = false;
  // librte calls no destroy_connection in this case.
  VhostRegistry::forget_device(connection_.exchange(-1), this);
  call_fds_.clear();
  host_.ring_event_thread();
}

// --- open and close ---

void VhostPort::open() {
  VhostRegistry::add(options_.path, this);
  try {
    if (options_.server) {
      listen();
    } else if (options_.pinned_features != 0) {
      // A pin that cannot be kept is told at once.
      register_socket();
      unregister_socket();
    }
  } catch (...) {
    if (registered_) server_socket_.remove([this] { unregister_socket(); });
    VhostRegistry::remove(options_.path);
    throw;
  }
  if (options_.server) {
    enter(PortState::listening);
  } else {
    look_for_peer();
  }
}

void VhostPort::close() {
  host_.paths().stop(serial());
  if (options_.server) {
    server_socket_.remove([this] { unregister_socket(); });
  } else {
    unregister_socket();
  }
  VhostRegistry::remove(options_.path);
  enter(PortState::closed);
}

void VhostPort::listen() {
  server_socket_.create([this] {
    register_socket();
    if (rte_vhost_driver_start(options_.path.c_str()) != 0) {
      throw Failure("ERR_SOCKET_LISTEN",
                    "cannot listen at " + options_.path + ": " + strerror(errno));
    }
  });
  host_.ring_event_thread();
}

// --- connecting, as a client ---

void VhostPort::watch_path() {
  is_watching_ = host_.paths().start(serial(), options_.path, [this] {
    if (early_ends_ >= kEarlyEndsOfMismatch) return;
    back_off_ = milliseconds{0};
    connect();
  });
}

void VhostPort::look_for_peer() {
  looking_since_ = Clock::now();
  back_off_ = milliseconds{0};
  enter(PortState::connecting);
  // Watched before it is looked at: what comes in between is not missed. What is there already is
  // watched only if it refuses: the first watch on a folder takes the kernel as long as it
  // remembers many names in there, 11 ms for some hundred thousand.
  is_watching_ = false;
  const bool is_there = access(options_.path.c_str(), F_OK) == 0;
  if (!is_there) watch_path();
  connect();
  if (is_there && !registered_ && state() == PortState::connecting) watch_path();
}

void VhostPort::connect() {
  if (registered_) return;
  if (const milliseconds left = hold_.left(); left.count() != 0) {
    retry(hold_.reason(), left);
    return;
  }
  const std::string& path = options_.path;
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) {
    const int error = errno;
    retry(error == ENOENT ? "no socket at " + path + " yet; the peer has to listen there"
                          : "cannot reach " + path + ": " + strerror(error),
          // The kernel does not tell of everything, such as what another host does to a shared
          // folder.
          is_watching_ ? options_.reconnect.max_delay : kLookOften);
    return;
  }
  if (!S_ISSOCK(found.st_mode)) {
    retry(path + " is not a socket", next_delay());
    return;
  }
  if (access(path.c_str(), R_OK | W_OK) != 0) {
    retry("no permission to connect to " + path + " (" + strerror(errno) +
              "); give this process's user or group write access to the socket",
          next_delay());
    return;
  }
  try {
    register_socket();
  } catch (const Failure& failure) {
    retry(failure.what(), next_delay());
    return;
  }
  if (rte_vhost_driver_start(path.c_str()) == 0) {
    host_.paths().stop(serial());
    return;  // on_connection has told the rest
  }
  unregister_socket();
  retry("nobody listens at " + path + " (connection refused)", next_delay());
}

// Doubles with each attempt, up to the ceiling; part of it is left to chance, so that many ports
// that lost the same peer do not come back in step.
milliseconds VhostPort::next_delay() {
  const ReconnectOptions& options = options_.reconnect;
  back_off_ = back_off_.count() == 0 ? options.first_delay : back_off_ * 2;
  if (early_ends_ >= kEarlyEndsOfMismatch) back_off_ = options.max_delay;
  back_off_ = std::min(back_off_, options.max_delay);
  const double share = std::uniform_real_distribution<>(0, options.jitter)(chance_);
  const auto left = static_cast<int64_t>(static_cast<double>(back_off_.count()) * (1 - share));
  return milliseconds{std::max<int64_t>(left, 1)};
}

void VhostPort::retry(const std::string& reason, milliseconds delay) {
  const auto now = Clock::now();
  const milliseconds limit = options_.reconnect.give_up;
  if (limit.count() != 0) {
    const auto left = std::chrono::ceil<milliseconds>(looking_since_ + limit - now);
    if (left.count() <= 0) {
      host_.paths().stop(serial());
      enter(PortState::failed, "gave up after " + std::to_string(limit.count()) + " ms: " + reason);
      return;
    }
    delay = std::min(delay, left);
  }
  enter(PortState::connecting, reason);
  next_attempt_ = now + delay;
  later(delay, &VhostPort::connect_when_due);
}

void VhostPort::connect_when_due() {
  // What led to another attempt in between has put this one off.
  if (state() == PortState::connecting && Clock::now() >= next_attempt_) connect();
}

void VhostPort::reconnect() {
  if (options_.server || registered_ || !admin_up()) return;
  early_ends_ = 0;
  hold_.clear();
  look_for_peer();
}

bool VhostPort::is_at(const std::string& socket) const {
  struct stat mine {
  }, other{};
  return socket == options_.path ||
         (stat(options_.path.c_str(), &mine) == 0 && stat(socket.c_str(), &other) == 0 &&
          mine.st_dev == other.st_dev && mine.st_ino == other.st_ino);
}

// --- with a connection ---

void VhostPort::lose_connection() {
  // A peer that minds the features says so at once; a guest may take any time to boot.
  const bool at_once = !was_ready_ && Clock::now() - connected_at_ < kAtOnce;
  early_ends_ = at_once ? early_ends_ + 1 : 0;
  const std::string reason = hold_.is_active() ? hold_.reason()
                             : was_ready_
                                 ? "the peer closed the connection"
                                 : "the peer closed the connection before the device was ready";
  enter(PortState::disconnected, reason);
  if (options_.server) {
    enter(PortState::listening, was_ready_ && !hold_.is_active() ? "" : reason);
    return;
  }
  unregister_socket();
  if (at_once && !hold_.is_active()) {
    watch_path();
    retry(reason, next_delay());
  } else {
    look_for_peer();
  }
}

// Hangs up without being asked to.
void VhostPort::cut_off() {
  cut_generation_ = generation();
  if (!options_.server) {
    unregister_socket();
    enter(PortState::disconnected, hold_.reason());
    look_for_peer();
    return;
  }
  server_socket_.remove([this] { unregister_socket(); });
  enter(PortState::disconnected, hold_.reason());
  try {
    listen();
    enter(PortState::listening, hold_.reason());
  } catch (const Failure& failure) {
    enter(PortState::failed, failure.what());
  }
}

void VhostPort::handle(const Notice& notice) {
  // What came of our own end of a connection.
  const bool is_over = notice.generation == cut_generation_ && cut_generation_ != 0;
  if (is_over && notice.kind != Notice::Kind::held) return;
  switch (notice.kind) {
    case Notice::Kind::connected:
      was_ready_ = false;
      connected_at_ = Clock::now();
      enter(PortState::connected);
      break;
    case Notice::Kind::refused:
      publish("a second connection to " + options_.path +
              " was refused; one peer is connected already");
      break;
    case Notice::Kind::ready:
      was_ready_ = true;
      early_ends_ = 0;
      back_off_ = milliseconds{0};
      features_before_ = negotiated().features;
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
    case Notice::Kind::held:
      publish(hold_.reason());
      break;
    case Notice::Kind::memory_gone:
      if (connection_.load() < 0 || notice.generation != generation()) break;
      counters.peer.memory_faults.add(1);
      hold_.begin(Misdeed::lost_memory);
      cut_off();
      break;
    case Notice::Kind::calls_blocked:
      if (connection_.load() < 0 || notice.generation != generation()) break;
      hold_.begin(Misdeed::blocked_calls);
      cut_off();
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

Handshake VhostPort::handshake() {
  return {offered_features_, requested_features_.load(std::memory_order_relaxed), features_before_,
          last_request_.load(std::memory_order_relaxed), early_ends_};
}

}  // namespace dpdk_vhost
