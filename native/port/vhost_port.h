#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "control/managed_port.h"

namespace dpdk_vhost {

struct VhostOptions {
  std::string path;
  bool server = false;  // role: true listens (dpdkvhostuser), false connects (dpdkvhostuserclient)
  uint32_t queue_pairs = kMaxQueuePairs;  // most the guest may have
  uint64_t disabled_features = 0;         // virtio feature bits not offered to the guest
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

 protected:
  Negotiated negotiated() override;
  uint64_t generation() const override { return generation_.load(std::memory_order_relaxed); }

 private:
  friend struct VhostCallbacks;

  // librte's callbacks, on its threads.
  int on_connection(int vid);
  int on_device(int vid);
  void on_device_gone(int vid);
  void on_queue(uint16_t vring, bool enabled);
  void on_connection_gone(int vid);
  uint32_t queue_pairs() const { return options_.queue_pairs; }

  // Control thread.
  void register_socket();
  void unregister_socket();
  void connect();
  void retry(const std::string& reason);
  void lose_connection();

  uint32_t send(int vid, uint16_t queue, rte_mbuf** frames, uint32_t count);

  const VhostOptions options_;
  std::atomic<int> vid_{-1};  // the running device; set and cleared by callbacks, read by lcores
  std::atomic<int> connection_{
      -1};  // the vid that is connected, running or not; set and cleared by callbacks
  std::atomic<uint64_t> generation_{0};  // counted by on_connection

  std::mutex negotiated_mutex_;
  Negotiated negotiated_;  // under negotiated_mutex_; written by on_device

  bool registered_ = false;                // control thread
  bool was_ready_ = false;                 // control thread: since the last connection
  std::chrono::milliseconds back_off_{0};  // control thread
};

}  // namespace dpdk_vhost
