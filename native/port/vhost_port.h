#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>

#include "control/managed_port.h"
#include "port/call_fds.h"
#include "port/flap_meter.h"
#include "port/oversize_watch.h"
#include "port/peer_hold.h"
#include "port/ring_rules.h"
#include "port/server_socket.h"
#include "port/virtio.h"
#include "port/vring_stats.h"
#include "ring/guest_memory.h"
#include "ring/packed_ring.h"
#include "ring/split_ring.h"

namespace dpdk_vhost {

// How a client looks for its peer.
struct ReconnectOptions {
  std::chrono::milliseconds first_delay{1};
  std::chrono::milliseconds max_delay{1000};
  double jitter = 0;                     // share of a delay that is left to chance, 0 to 1
  std::chrono::milliseconds give_up{0};  // 0: never
};

struct VhostOptions {
  std::string path;
  bool server = false;  // role: true listens (dpdkvhostuser), false connects (dpdkvhostuserclient)
  uint32_t queue_pairs = kMaxQueuePairs;  // most the guest may have
  uint64_t disabled_features = 0;         // virtio feature bits not offered to the guest
  uint64_t pinned_features = 0;           // if not 0: exactly these are offered
  bool vring_stats = false;               // frames and notifications of each vring are counted
  double flap_limit = 0;                  // restarts of the device a second; 0: any
  ReconnectOptions reconnect;             // client
  SocketAccess access;                    // server
};

// A vhost-user socket and the device behind it.
//
// Threads: librte's callbacks run on its event thread, on the control thread (inside start and
// unregister), or both in turn. They publish and withdraw the device themselves and leave
// everything else to the control thread.
class VhostPort final : public ManagedPort {
 public:
  VhostPort(PortHost& host, uint64_t serial, uint32_t id, std::string name,
            uint32_t max_frame_bytes, uint32_t tx_retries_max, PortCounters& counters,
            VhostOptions options);
  ~VhostPort() override;

  uint32_t receive(uint16_t queue, rte_mempool* pool, rte_mbuf** frames, uint32_t count) override;
  void transmit(uint32_t lcore, rte_mbuf** frames, uint32_t count, bool shared) override;
  int arm(uint16_t queue, bool on) override;

  void open() override;
  void close() override;
  void handle(const Notice& notice) override;
  void resync() override;
  void reconnect() override;
  bool is_at(const std::string& socket) const override;
  void blame_peer() override { hold_.begin(Misdeed::stalled); }
  void relieve_calls() override;
  VringTotals vring_totals(const Quiescence::Reader& reader) override;

 protected:
  Negotiated negotiated() override;
  Handshake handshake() override;
  uint64_t generation() const override { return generation_.load(std::memory_order_relaxed); }

 private:
  friend struct VhostCallbacks;
  friend class VhostRegistry;

  // librte's callbacks, on its threads.
  int on_connection(int vid);
  int on_device(int vid);
  void on_device_gone(int vid);
  void on_queue(uint16_t vring, bool enabled);
  void on_connection_gone(int vid);
  // False: the peer must not say that now.
  bool on_message(int vid, VhostUserMessage& message);
  bool may_go_on(int vid, const VhostUserMessage& message);
  // Not called for what librte refused. False: it should have.
  bool after_message(int vid, uint32_t request);
  void after_refusal(int vid);
  void note_flap(double cost);
  uint32_t queue_pairs() const { return options_.queue_pairs; }

  // Control thread.
  void register_socket();
  void unregister_socket();
  void listen();
  void look_for_peer();
  void watch_path();
  void connect();
  void connect_when_due();
  std::chrono::milliseconds next_delay();
  void retry(const std::string& reason, std::chrono::milliseconds delay);
  void lose_connection();
  void cut_off();

  uint32_t announce(rte_mempool* pool, rte_mbuf** frames);
  void count_oversize(int vid, uint16_t queue);
  uint32_t send_directly(int vid, uint16_t queue, rte_mbuf** frames, uint32_t count, RingEnd& end);
  uint32_t send(int vid, uint16_t queue, rte_mbuf** frames, uint32_t count);
  uint32_t send_by_librte(int vid, uint16_t queue, rte_mbuf** frames, uint32_t count);
  void open_rings(int vid);
  void close_rings();

  const VhostOptions options_;
  std::atomic<int> vid_{-1};  // the running device; set and cleared by callbacks, read by lcores
  std::atomic<int> connection_{
      -1};  // the vid that is connected, running or not; set and cleared by callbacks
  std::atomic<uint64_t> generation_{0};  // counted by on_connection

  std::atomic<bool> split_{false};  // ring layout; written by on_device, read by lcores
  std::array<OversizeWatch, kMaxQueuePairs> oversize_;  // each the lcore's that polls the queue

  // Null unless asked for. Updated by on_device_gone and the control thread.
  const std::unique_ptr<VringStats> vring_stats_;

  // Read anew by librte's event thread after each message of the peer, with all gates closed.
  GuestMemory guest_memory_;
  std::array<SplitRing, kMaxQueuePairs> from_guest_;  // by rx queue
  std::array<SplitRing, kMaxQueuePairs> to_guest_;    // by tx queue
  // The same, behind the gates of those.
  std::array<PackedRing, kMaxQueuePairs> packed_from_guest_;
  std::array<PackedRing, kMaxQueuePairs> packed_to_guest_;
  // The MAC address for which a RARP is to be made, as it is in memory, and that there is one; set
  // by librte's event thread, taken by a lcore.
  static constexpr uint64_t kAnnounced = uint64_t{1} << 63;
  std::atomic<uint64_t> announced_{0};
  // librte changes its map of the guest's memory, or failed to: its rings may point to what is not
  // mapped any more. Written by its event thread.
  std::atomic<bool> remapping_{false};
  // By vring; librte's event thread's.
  std::array<bool, 2 * kMaxQueuePairs> disabled_{};
  RingRules rules_;
  CallFds call_fds_;
  bool has_memory_ = false;    // librte crashes when it is asked for a table that it does not have
  bool is_left_alone_ = true;  // under the registry's mutex

  FlapMeter flaps_;
  PeerHold hold_;

  std::mutex negotiated_mutex_;
  Negotiated negotiated_;  // under negotiated_mutex_; written by on_device

  // Of the last connection; written by librte's event thread, read by the control thread.
  std::atomic<uint32_t> last_request_{0};
  std::atomic<uint64_t> requested_features_{0};

  // Everything below belongs to the control thread.
  using Clock = std::chrono::steady_clock;
  ServerSocket server_socket_;
  bool registered_ = false;
  bool was_ready_ = false;       // since the last connection
  uint64_t cut_generation_ = 0;  // of the connection that we ended
  uint64_t offered_features_ = 0;
  uint64_t features_before_ = 0;  // of the device that ran last
  uint32_t early_ends_ = 0;       // connections in a row that ended before the device was ready
  bool is_watching_ = false;      // the path, and all of it
  Clock::time_point connected_at_{};
  Clock::time_point looking_since_{};
  Clock::time_point next_attempt_{};
  std::chrono::milliseconds back_off_{0};
  std::minstd_rand chance_;
};

}  // namespace dpdk_vhost
