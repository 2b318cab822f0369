#pragma once

#include <rte_mbuf.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "constants.h"
#include "counters.h"
#include "port/spin_lock.h"

namespace dpdk_vhost {

class Shaper;
class ShaperSchedule;
struct ShaperOptions;

// States as in docs: closed -> connecting | listening -> connected -> ready <-> stopped ->
// disconnected -> ...; failed when the port has given up connecting.
enum class PortState : uint32_t {
  closed,
  connecting,
  listening,
  connected,
  ready,
  stopped,
  disconnected,
  failed
};
const char* name_of(PortState state);

// What was negotiated with the peer; meaningful while the port is ready.
struct Negotiated {
  uint64_t features = 0;
  bool packed = false;
  uint32_t queue_pairs = 0;
  uint32_t rx_ring_size = 0;
  uint32_t tx_ring_size = 0;
  uint32_t mtu = 0;
  int32_t numa_node = -1;
};

// How far the last connection got before the device was ready; for vhost-user ports.
struct Handshake {
  uint64_t offered = 0;       // features this port offers
  uint64_t requested = 0;     // features the peer asked for; 0 if it did not come to that
  uint64_t before = 0;        // features of the device that ran last; 0 if none did
  uint32_t last_request = 0;  // the last message the peer sent, by its number in the protocol
  uint32_t early_ends = 0;    // connections in a row that ended before the device was ready
};

// A change of a port as TypeScript is told of it.
struct PortEvent {
  uint32_t id = 0;
  uint64_t generation = 0;  // counts connections (vhost) or link-ups (ethdev) of this port
  PortState state = PortState::closed;
  std::string reason;      // why, when the change was not asked for
  uint32_t rx_queues = 0;  // bit q: rx queue q is enabled
  uint32_t tx_queues = 0;  // bit q: tx queue q is enabled
  bool admin_up = true;
  Negotiated negotiated;
  Handshake handshake;
  double time = 0;  // milliseconds since the epoch
};

// Port::arm: no frame can come until lcores are woken for another reason.
constexpr int kNothingToWaitFor = -1;
// Port::arm: frames may come without a signal.
constexpr int kMustPoll = -2;

// Where frames enter and leave. Lcores call the datapath half inside a Quiescence::Section; the
// control thread owns the rest.
class Port {
 public:
  Port(uint32_t id, std::string name, uint32_t max_frame_bytes, uint32_t tx_retries_max,
       PortCounters& counters);
  virtual ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  uint32_t id() const { return id_; }
  const std::string& name() const { return name_; }

  // --- datapath: lcores, inside a section ---

  // Takes up to `count` frames from rx queue `queue`, which only the calling lcore polls.
  virtual uint32_t receive(uint16_t queue, rte_mempool* pool, rte_mbuf** frames,
                           uint32_t count) = 0;

  // Sends frames by the tx queue that falls to `lcore`, counts what became of them, and sets each
  // entry that the device keeps (because it sends without copying) to null; the others stay the
  // caller's to free. Frames that must stay the caller's in any case are `shared`.
  virtual void transmit(uint32_t lcore, rte_mbuf** frames, uint32_t count, bool shared) = 0;

  // As transmit, by way of the port's shaper if it has one.
  void deliver(uint32_t lcore, rte_mbuf** frames, uint32_t count, bool shared) {
    if (Shaper* const own = shaper()) {
      shape(*own, frames, count, shared);
    } else {
      transmit(lcore, frames, count, shared);
    }
  }
  Shaper* shaper() const { return shaper_.load(std::memory_order_acquire); }

  // Asks (or stops asking) the peer to signal when it adds to rx queue `queue`. Returns the file
  // descriptor that becomes readable then, or one of the values below.
  virtual int arm(uint16_t queue, bool on) = 0;

  // Changes whenever what `arm` returned may no longer hold.
  uint32_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  bool ready() const { return ready_.load(std::memory_order_acquire); }
  bool rx_enabled(uint16_t queue) const {
    return (rx_queues_.load(std::memory_order_acquire) >> queue & 1) != 0;
  }

  PortCounters& counters;

  // --- control thread ---
  void set_shaper(const ShaperOptions& options, ShaperSchedule& schedule);
  // From now on lcores do not find it; the caller waits for those that have it.
  std::unique_ptr<Shaper> take_shaper();

 protected:
  // Drops every frame for one reason, under the lock of tx queue 0.
  void drop_all(uint32_t count, Counter TxCounters::*reason);
  // Recomputes which tx queue serves which lcore. Of the queues that the peer has had enabled since
  // there were none, each lcore has one as its own, in turn; those whose own is disabled are dealt
  // out to the enabled ones in turn, and the others keep theirs.
  void map_tx_queues(uint32_t enabled);

  const uint32_t id_;
  const std::string name_;
  const uint32_t max_frame_bytes_;
  const uint32_t tx_retries_max_;

  // One writer a tx queue; held by an lcore for one run.
  std::array<SpinLock, kMaxQueuePairs> tx_locks_{};

  // Written by the thread that learns of the change (librte's event thread, EAL's interrupt thread
  // or the control thread), read by lcores.
  std::atomic<bool> ready_{false};
  std::atomic<uint32_t> epoch_{0};
  std::atomic<uint32_t> rx_queues_{0};
  std::atomic<uint32_t> tx_queues_{0};
  uint32_t tx_queue_count_ = 0;  // the thread that learns of the change
  // Four bits an entry: entry `lcore % 16` is the tx queue of that lcore.
  static constexpr uint32_t kTxMapEntries = 16;
  std::atomic<uint64_t> tx_map_{0};

 private:
  static void shape(Shaper& shaper, rte_mbuf** frames, uint32_t count, bool shared);
  std::atomic<Shaper*> shaper_{nullptr};  // written by the control thread
  std::unique_ptr<Shaper> shaper_owned_;  // control thread
};

}  // namespace dpdk_vhost
