#include "port/vhost_port.h"

#include <rte_vhost.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "port/vhost_registry.h"
#include "port/virtio.h"

namespace dpdk_vhost {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstBackOff{5};
constexpr milliseconds kLastBackOff{1000};
constexpr milliseconds kMissingSocketPoll{10};

// Queue ids of librte_vhost name the guest's side: even ones the guest receives from, odd ones it
// sends to.
constexpr uint16_t to_guest(uint16_t queue) {
  return static_cast<uint16_t>(2 * queue);
}
constexpr uint16_t from_guest(uint16_t queue) {
  return static_cast<uint16_t>(2 * queue + 1);
}

}  // namespace

VhostPort::VhostPort(PortHost& host, uint64_t serial, uint32_t id, std::string name,
                     uint32_t max_frame_bytes, uint32_t tx_retries_max, PortCounters& counters,
                     VhostOptions options)
    : ManagedPort(host, serial, id, std::move(name), max_frame_bytes, tx_retries_max, counters),
      options_(std::move(options)) {}

VhostPort::~VhostPort() = default;

// --- datapath
// ---------------------------------------------------------------------------------------------------

uint32_t VhostPort::receive(uint16_t queue, rte_mempool* pool, rte_mbuf** frames, uint32_t count) {
  const int vid = vid_.load(std::memory_order_acquire);
  if (vid < 0 || !rx_enabled(queue)) return 0;
  uint32_t received = 0;
  uint32_t taken = 0;
  do {
    const auto ask = static_cast<uint16_t>(std::min(count - received, kVhostCallBurst));
    taken = rte_vhost_dequeue_burst(vid, from_guest(queue), pool, frames + received, ask);
    received += taken;
  } while (taken == kVhostCallBurst && received < count);
  return received;
}

uint32_t VhostPort::send(int vid, uint16_t queue, rte_mbuf** frames, uint32_t count) {
  uint32_t sent = 0;
  uint32_t retries = 0;
  while (sent < count) {
    const auto ask = static_cast<uint16_t>(std::min(count - sent, kVhostCallBurst));
    const uint32_t accepted = rte_vhost_enqueue_burst(vid, to_guest(queue), frames + sent, ask);
    sent += accepted;
    // As in OVS: a full ring is tried again only while the guest makes room.
    if (accepted == 0 || (accepted < ask && ++retries > tx_retries_max_)) break;
  }
  counters.tx[queue].retries.add(retries);
  return sent;
}

void VhostPort::transmit(uint32_t lcore, rte_mbuf** frames, uint32_t count, bool /*shared*/) {
  const int vid = vid_.load(std::memory_order_acquire);
  if (vid < 0 || tx_queues_.load(std::memory_order_acquire) == 0) {
    drop_all(count, &TxCounters::dropped_not_connected);
    return;
  }
  const auto queue =
      static_cast<uint16_t>(tx_map_.load(std::memory_order_relaxed) >> (4 * (lcore % 16)) & 15);
  TxCounters& counted = counters.tx[queue];
  uint32_t sent = 0;
  uint32_t oversize = 0;
  uint64_t bytes = 0;
  rte_spinlock_lock(&tx_locks_[queue]);
  for (uint32_t begin = 0; begin < count;) {
    uint32_t end = begin;
    uint64_t run_bytes = 0;
    while (end < count && frames[end]->pkt_len <= max_frame_bytes_)
      run_bytes += frames[end++]->pkt_len;
    const uint32_t run = end - begin;
    const uint32_t run_sent = run > 0 ? send(vid, queue, frames + begin, run) : 0;
    for (uint32_t i = begin + run_sent; i < end; ++i) run_bytes -= frames[i]->pkt_len;
    sent += run_sent;
    bytes += run_bytes;
    begin = end;
    if (end < count) {
      ++oversize;
      ++begin;
    }
  }
  counted.calls.add(1);
  counted.frames.add(sent);
  counted.bytes.add(static_cast<double>(bytes));
  if (oversize != 0) counted.dropped_oversize.add(oversize);
  if (sent + oversize != count) counted.dropped_ring_full.add(count - sent - oversize);
  rte_spinlock_unlock(&tx_locks_[queue]);
}

int VhostPort::arm(uint16_t queue, bool on) {
  const int vid = vid_.load(std::memory_order_acquire);
  if (vid < 0 || !rx_enabled(queue)) return kNothingToWaitFor;
  if (rte_vhost_enable_guest_notification(vid, from_guest(queue), on ? 1 : 0) != 0)
    return kNothingToWaitFor;
  rte_vhost_vring vring{};
  if (!on) return kNothingToWaitFor;
  if (rte_vhost_get_vhost_vring(vid, from_guest(queue), &vring) != 0) return kNothingToWaitFor;
  return vring.kickfd >= 0 ? vring.kickfd : kMustPoll;
}

// --- librte's callbacks
// -----------------------------------------------------------------------------------------

int VhostPort::on_connection(int vid) {
  int none = -1;
  if (!connection_.compare_exchange_strong(none, vid)) {
    notify(Notice::Kind::refused, generation());
    return -1;
  }
  rx_queues_.store(0, std::memory_order_release);
  map_tx_queues(0);
  const uint64_t generation = generation_.fetch_add(1, std::memory_order_relaxed) + 1;
  notify(Notice::Kind::connected, generation);
  return 0;
}

int VhostPort::on_device(int vid) {
  Negotiated now;
  uint16_t mtu = 0;
  rte_vhost_get_negotiated_features(vid, &now.features);
  if (rte_vhost_get_mtu(vid, &mtu) == 0) now.mtu = mtu;
  now.numa_node = rte_vhost_get_numa_node(vid);
  now.packed = (now.features >> kVirtioRingPacked & 1) != 0;
  const uint16_t vrings = rte_vhost_get_vring_num(vid);
  rte_vhost_vring vring{};
  if (rte_vhost_get_vhost_vring(vid, from_guest(0), &vring) == 0) now.rx_ring_size = vring.size;
  if (rte_vhost_get_vhost_vring(vid, to_guest(0), &vring) == 0) now.tx_ring_size = vring.size;
  {
    const std::lock_guard lock(negotiated_mutex_);
    negotiated_ = now;
  }
  // Polling needs no kicks; an lcore asks for them when it goes to sleep.
  for (uint16_t vring_id = 0; vring_id < vrings; ++vring_id)
    rte_vhost_enable_guest_notification(vid, vring_id, 0);

  vid_.store(vid, std::memory_order_release);
  epoch_.fetch_add(1, std::memory_order_acq_rel);
  ready_.store(true, std::memory_order_release);
  host_.ports().note_ready_change();
  host_.wake_lcores();
  notify(Notice::Kind::ready, generation());
  return 0;
}

void VhostPort::on_device_gone(int vid) {
  if (vid_.load(std::memory_order_relaxed) != vid) return;
  ready_.store(false, std::memory_order_release);
  vid_.store(-1, std::memory_order_release);
  epoch_.fetch_add(1, std::memory_order_acq_rel);
  host_.ports().note_ready_change();
  // The rings are unmapped as soon as this returns.
  host_.quiescence().wait_for_readers();
  notify(Notice::Kind::stopped, generation());
}

// Runs with every vring of the device locked: no call into librte, nothing that waits.
void VhostPort::on_queue(uint16_t vring, bool enabled) {
  const uint32_t queue = vring / 2;
  if (queue >= kMaxQueuePairs) return;
  const auto change = [&](uint32_t bits) {
    const uint32_t mine = uint32_t{1} << queue;
    return enabled ? bits | mine : bits & ~mine;
  };
  if ((vring & 1) != 0) {
    rx_queues_.store(change(rx_queues_.load(std::memory_order_relaxed)), std::memory_order_release);
  } else {
    map_tx_queues(change(tx_queues_.load(std::memory_order_relaxed)));
  }
  epoch_.fetch_add(1, std::memory_order_acq_rel);
  host_.wake_lcores();
  notify(Notice::Kind::queues, generation());
}

void VhostPort::on_connection_gone(int vid) {
  int mine = vid;
  if (!connection_.compare_exchange_strong(mine, -1)) return;
  notify(Notice::Kind::disconnected, generation());
}

Negotiated VhostPort::negotiated() {
  const std::lock_guard lock(negotiated_mutex_);
  return negotiated_;
}

// --- control thread
// ---------------------------------------------------------------------------------------------

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
