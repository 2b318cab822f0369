#include "port/vhost_port.h"

#include <rte_arp.h>
#include <rte_vhost.h>

#include <algorithm>
#include <cstring>

#include "port/memory_guard.h"
#include "port/message_fds.h"
#include "port/virtio.h"

namespace dpdk_vhost {
namespace {

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
      options_(std::move(options)),
      vring_stats_(options_.vring_stats ? std::make_unique<VringStats>() : nullptr),
      flaps_(options_.flap_limit),
      server_socket_(options_.path, options_.access),
      chance_(std::random_device{}()) {}

VhostPort::~VhostPort() = default;

// --- datapath ---

uint32_t VhostPort::receive(uint16_t queue, rte_mempool* pool, rte_mbuf** frames, uint32_t count) {
  const int vid = vid_.load(std::memory_order_acquire);
  if (vid < 0 || !rx_enabled(queue)) return 0;
  SplitRing& ring = from_guest_[queue];
  if (!ring.gate().enter()) return 0;
  uint32_t made = 0;
  if (unlikely(announced_.load(std::memory_order_relaxed) != 0)) made = announce(pool, frames);
  oversize_[queue].begin(vid, from_guest(queue), epoch());
  RingEnd end = RingEnd::other;
  const uint32_t room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
  PackedRing& packed = packed_from_guest_[queue];
  const bool split = split_.load(std::memory_order_relaxed);
  uint32_t received = split ? ring.take(pool, frames + made, count - made, room, end)
                            : packed.take(pool, frames + made, count - made, room, end);
  const bool wants_call = received != 0 && (split ? ring.wants_call() : packed.wants_call());
  if (end == RingEnd::other) {
    const uint32_t most = rules_.most_a_call(from_guest(queue));
    uint32_t ask = 0;
    uint32_t taken = 0;
    // Never none: of a packed ring librte takes one then.
    while (taken == ask && made + received < count) {
      ask = std::min(count - made - received, most);
      taken = rte_vhost_dequeue_burst(vid, from_guest(queue), pool, frames + made + received,
                                      static_cast<uint16_t>(ask));
      received += taken;
    }
  }
  ring.gate().leave();
  if (wants_call) rte_vhost_vring_call(vid, from_guest(queue));
  if (oversize_[queue].end(received)) count_oversize(vid, queue);
  return made + received;
}

// librte would do it, but with a packed ring, and room for one frame, it frees what it does not
// have.
uint32_t VhostPort::announce(rte_mempool* pool, rte_mbuf** frames) {
  const uint64_t mac = announced_.exchange(0, std::memory_order_acquire);
  if (mac == 0) return 0;
  rte_ether_addr address{};
  std::memcpy(address.addr_bytes, &mac, sizeof(address.addr_bytes));
  frames[0] = rte_net_make_rarp_packet(pool, &address);
  return frames[0] == nullptr ? 0 : 1;
}

void VhostPort::count_oversize(int vid, uint16_t queue) {
  if (!split_.load(std::memory_order_relaxed)) return;
  const uint32_t dropped = oversize_[queue].look(vid, from_guest(queue));
  if (dropped == 0) return;
  counters.rx[queue].frames.add(dropped);
  counters.rx[queue].dropped_oversize.add(dropped);
}

uint32_t VhostPort::send_directly(int vid, uint16_t queue, rte_mbuf** frames, uint32_t count,
                                  RingEnd& end) {
  SplitRing& ring = to_guest_[queue];
  if (!ring.gate().enter()) {
    if (unlikely(remapping_.load(std::memory_order_acquire))) {
      // No frame, but librte waits for its lock of the ring: until the message is dealt with.
      rte_vhost_enqueue_burst(vid, to_guest(queue), frames, 0);
      if (remapping_.load(std::memory_order_acquire)) end = RingEnd::dry;
    }
    return 0;
  }
  PackedRing& packed = packed_to_guest_[queue];
  const bool split = split_.load(std::memory_order_relaxed);
  const uint32_t taken = split ? ring.put(frames, count, end) : packed.put(frames, count, end);
  const bool wants_call = taken != 0 && (split ? ring.wants_call() : packed.wants_call());
  ring.gate().leave();
  if (wants_call) rte_vhost_vring_call(vid, to_guest(queue));
  return taken;
}

uint32_t VhostPort::send_by_librte(int vid, uint16_t queue, rte_mbuf** frames, uint32_t count) {
  const uint32_t most = rules_.most_a_call(to_guest(queue));
  uint32_t sent = 0;
  uint32_t ask = 0;
  uint32_t taken = 0;
  do {
    ask = std::min(count - sent, most);
    taken =
        rte_vhost_enqueue_burst(vid, to_guest(queue), frames + sent, static_cast<uint16_t>(ask));
    sent += taken;
    if (!split_.load(std::memory_order_relaxed)) rules_.stay_in_ring(vid, to_guest(queue));
  } while (taken == ask && sent < count);
  return sent;
}

uint32_t VhostPort::send(int vid, uint16_t queue, rte_mbuf** frames, uint32_t count) {
  uint32_t sent = 0;
  uint32_t retries = 0;
  while (sent < count) {
    const auto ask = static_cast<uint16_t>(std::min(count - sent, kVhostCallBurst));
    RingEnd end = RingEnd::other;
    uint32_t accepted = send_directly(vid, queue, frames + sent, ask, end);
    if (end == RingEnd::other) {
      accepted += send_by_librte(vid, queue, frames + sent + accepted, ask - accepted);
    }
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
  tx_locks_[queue].lock();
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
  tx_locks_[queue].unlock();
}

int VhostPort::arm(uint16_t queue, bool on) {
  const int vid = vid_.load(std::memory_order_acquire);
  if (vid < 0 || !rx_enabled(queue)) return kNothingToWaitFor;
  if (remapping_.load(std::memory_order_acquire)) return kMustPoll;
  if (on) {
    oversize_[queue].begin(vid, from_guest(queue), epoch());
    count_oversize(vid, queue);
  }
  if (rte_vhost_enable_guest_notification(vid, from_guest(queue), on ? 1 : 0) != 0)
    return kNothingToWaitFor;
  rte_vhost_vring vring{};
  if (!on) return kNothingToWaitFor;
  if (rte_vhost_get_vhost_vring(vid, from_guest(queue), &vring) != 0) return kNothingToWaitFor;
  return vring.kickfd >= 0 ? vring.kickfd : kMustPoll;
}

// --- librte's callbacks ---

int VhostPort::on_connection(int vid) {
  if (hold_.is_active()) {
    if (hold_.is_news()) notify(Notice::Kind::held, generation());
    return -1;
  }
  int none = -1;
  if (!connection_.compare_exchange_strong(none, vid)) {
    notify(Notice::Kind::refused, generation());
    return -1;
  }
  rx_queues_.store(0, std::memory_order_release);
  map_tx_queues(0);
  if (vring_stats_) vring_stats_->begin();
  last_request_.store(0, std::memory_order_relaxed);
  requested_features_.store(0, std::memory_order_relaxed);
  remapping_.store(false, std::memory_order_relaxed);
  announced_.store(0, std::memory_order_relaxed);
  disabled_.fill(false);
  rules_.begin();
  has_memory_ = false;
  note_flap(FlapMeter::kRestart);
  const uint64_t generation = generation_.fetch_add(1, std::memory_order_relaxed) + 1;
  notify(Notice::Kind::connected, generation);
  return 0;
}

bool VhostPort::on_message(int vid, VhostUserMessage& message) {
  close_rings();
  if (hold_.is_active()) {
    // Without an answer librte hangs up.
    message.flags &= ~kVhostUserNeedReply;
    return false;
  }
  last_request_.store(message.request, std::memory_order_relaxed);
  return may_go_on(vid, message);
}

bool VhostPort::may_go_on(int vid, const VhostUserMessage& message) {
  const auto index = static_cast<uint32_t>(message.payload);
  const auto number = static_cast<uint32_t>(message.payload >> 32);
  const bool runs = vid_.load(std::memory_order_relaxed) == vid;
  switch (message.request) {
    case kVhostUserSetMemTable:
      if (!MessageFds::can_be_mapped(&message)) return false;
      remapping_.store(true, std::memory_order_release);
      has_memory_ = false;
      return true;
    case kVhostUserSetFeatures:
      requested_features_.store(message.payload, std::memory_order_relaxed);
      return rules_.may_set_features(vid, message.payload, runs);
    case kVhostUserSetVringNum:
      return rules_.may_set_size(vid, index, number, runs);
    case kVhostUserSetVringBase:
      return rules_.may_begin_at(vid, index, number);
    case kVhostUserSetVringAddr:
      return rules_.may_start(vid, index);
    case kVhostUserSetVringKick:
      return rules_.may_start(vid, index & 0xff);
    case kVhostUserSetVringCall:
      if (!MessageFds::can_be_called(&message)) return false;
      call_fds_.set(index & 0xff, MessageFds::first(&message));
      return true;
    case kVhostUserGetVringBase:
      rules_.note_stop(index);
      return true;
    case kVhostUserResetOwner:
      rules_.note_reset();
      has_memory_ = false;
      return true;
    case kVhostUserSetVringEnable:
      if (index < disabled_.size()) disabled_[index] = number == 0;
      return true;
    // Of protocol features that are never offered. librte would serve them all the same: leave
    // descriptors open, and write to memory that a peer has cut short.
    case kVhostUserPostcopyAdvise:
    case kVhostUserPostcopyListen:
    case kVhostUserPostcopyEnd:
    case kVhostUserGetInflightFd:
    case kVhostUserSetInflightFd:
      return false;
    case kVhostUserSendRarp:
      announced_.store(kAnnounced | message.payload, std::memory_order_release);
      return true;
    default:
      return true;
  }
}

// librte has the rings locked or the device is not running: nothing changes them meanwhile.
bool VhostPort::after_message(int vid, uint32_t request) {
  if (request == kVhostUserSetMemTable) {
    has_memory_ = true;
    MemoryGuard::watch(vid, {id(), serial(), generation()});
    remapping_.store(false, std::memory_order_release);
  }
  if (request == kVhostUserSetLogBase && has_memory_)
    MemoryGuard::watch(vid, {id(), serial(), generation()});
  if (has_memory_ &&
      (request == kVhostUserSetMemTable || request == kVhostUserSetVringAddr ||
       request == kVhostUserSetVringKick) &&
      !RingRules::are_mapped(vid))
    return false;
  if (vid_.load(std::memory_order_relaxed) == vid) open_rings(vid);
  return true;
}

// librte has refused a message, and the connection goes on.
void VhostPort::after_refusal(int vid) {
  if (vid_.load(std::memory_order_relaxed) == vid) open_rings(vid);
}

void VhostPort::note_flap(double cost) {
  flaps_.note(cost);
  if (!flaps_.is_exceeded()) return;
  hold_.begin(Misdeed::flapped);
  counters.peer.flaps.add(1);
}

void VhostPort::open_rings(int vid) {
  uint64_t features = 0;
  // librte may have no table of memory then, and does not look before it reads it.
  if (remapping_.load(std::memory_order_relaxed)) return;
  if (rte_vhost_get_negotiated_features(vid, &features) != 0 || !guest_memory_.read(vid)) return;
  const uint32_t pairs = std::min<uint32_t>(rte_vhost_get_vring_num(vid) / 2, kMaxQueuePairs);
  for (uint16_t queue = 0; queue < pairs; ++queue) {
    // librte counts only what it copies itself.
    const auto counts = [&](uint16_t vring) {
      return vring_stats_ ? &vring_stats_->frame_counts(vring) : nullptr;
    };
    from_guest_[queue].read(vid, from_guest(queue), features, guest_memory_,
                            counts(from_guest(queue)));
    packed_from_guest_[queue].read(vid, from_guest(queue), features, guest_memory_,
                                   counts(from_guest(queue)));
    to_guest_[queue].read(vid, to_guest(queue), features, guest_memory_, counts(to_guest(queue)));
    packed_to_guest_[queue].read(vid, to_guest(queue), features, guest_memory_,
                                 counts(to_guest(queue)));
    if (!disabled_[from_guest(queue)]) from_guest_[queue].gate().open();
    if (!disabled_[to_guest(queue)]) to_guest_[queue].gate().open();
  }
}

void VhostPort::close_rings() {
  for (SplitRing& ring : from_guest_) ring.gate().close();
  for (SplitRing& ring : to_guest_) ring.gate().close();
}

int VhostPort::on_device(int vid) {
  if (remapping_.load(std::memory_order_relaxed)) return -1;
  Negotiated now;
  uint16_t mtu = 0;
  rte_vhost_get_negotiated_features(vid, &now.features);
  if (rte_vhost_get_mtu(vid, &mtu) == 0) now.mtu = mtu;
  now.numa_node = rte_vhost_get_numa_node(vid);
  now.packed = (now.features >> kVirtioRingPacked & 1) != 0;
  split_.store(!now.packed, std::memory_order_relaxed);
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

  open_rings(vid);
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
  note_flap(FlapMeter::kRestart);
  ready_.store(false, std::memory_order_release);
  vid_.store(-1, std::memory_order_release);
  close_rings();
  epoch_.fetch_add(1, std::memory_order_acq_rel);
  host_.ports().note_ready_change();
  // The rings are unmapped as soon as this returns.
  host_.quiescence().wait_for_readers();
  // The last chance: librte forgets them with the connection.
  if (vring_stats_) vring_stats_->update(vid);
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
  note_flap(FlapMeter::kQueueChange);
  epoch_.fetch_add(1, std::memory_order_acq_rel);
  host_.wake_lcores();
  notify(Notice::Kind::queues, generation());
}

void VhostPort::on_connection_gone(int vid) {
  int mine = vid;
  if (!connection_.compare_exchange_strong(mine, -1)) return;
  call_fds_.clear();
  notify(Notice::Kind::disconnected, generation());
}

void VhostPort::relieve_calls() {
  if (call_fds_.relieve()) notify(Notice::Kind::calls_blocked, generation());
}

// Like an lcore: in a section the device stays, and with it its vrings.
VringTotals VhostPort::vring_totals(const Quiescence::Reader& reader) {
  if (!vring_stats_) return {};
  {
    const Quiescence::Section section(reader);
    const int vid = vid_.load(std::memory_order_acquire);
    if (vid >= 0) vring_stats_->update(vid);
  }
  return vring_stats_->totals();
}

Negotiated VhostPort::negotiated() {
  const std::lock_guard lock(negotiated_mutex_);
  return negotiated_;
}

}  // namespace dpdk_vhost
