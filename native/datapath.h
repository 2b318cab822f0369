#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/control_thread.h"
#include "control/host.h"
#include "control/managed_port.h"
#include "control/notice_queue.h"
#include "control/stall_watch.h"
#include "counters.h"
#include "eal/eal.h"
#include "eal/log.h"
#include "eal/quiescence.h"
#include "lcore/lcore.h"
#include "memory/packet_memory.h"
#include "port/doorbell.h"
#include "port/ethdev_port.h"
#include "port/port_table.h"
#include "port/shaper.h"
#include "port/vhost_port.h"

namespace dpdk_vhost {

struct OpenOptions {
  EalOptions eal;
  uint32_t mtu = 1500;
  // When a peer that holds up all others is cut off; 0: never.
  std::chrono::milliseconds peer_timeout{0};
};

struct PortOptions {
  std::string name;
  uint32_t mtu = 1500;
  uint32_t tx_retries_max = 8;
  bool admin_up = true;
  std::optional<ShaperOptions> shaper;
  bool is_ethdev = false;
  VhostOptions vhost;
  EthdevOptions ethdev;
};

struct Assignment {
  uint32_t lcore = 0;
  uint32_t port = 0;
  uint16_t queue = 0;
};

// Where events go: the thread that opened the datapath. Called on the control thread, `log` on any
// thread, `stall` on that of the stall watch.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void port(PortEvent event) = 0;
  virtual void log(LogLine line) = 0;
  virtual void stall(StallEvent event) = 0;
};

// The one datapath of the process: EAL, packet memory, ports, lcores. It is never destroyed,
// because threads of DPDK may call into it until the process ends; `close` leaves it empty, and
// `open` can fill it again.
class Datapath final : public PortHost {
 public:
  static Datapath& instance();

  // --- any thread ---
  ControlThread& control() override { return control_; }
  CounterBlock& counters() { return *counters_; }
  std::shared_ptr<PacketMemory> shared_memory();
  // Sends bytes of the caller's by the port's tx queue of lcore 0. False when there is no such port
  // or no memory.
  bool inject(const Quiescence::Reader& reader, uint32_t port, const uint8_t* bytes,
              uint32_t length);
  // Closes what is open and ends the control thread; once, at the end of the process. False: past
  // the deadline it is still at work.
  bool shut_down(std::chrono::milliseconds deadline);

  // --- the thread that becomes an lcore ---
  std::unique_ptr<Lcore> make_lcore(uint32_t burst_limit);
  void remove_lcore(std::unique_ptr<Lcore> lcore);
  void wake_lcore(uint32_t index);
  // Any thread.
  std::optional<BurstInHand> burst_in_hand(uint32_t lcore);

  // --- control thread ---
  void open(const OpenOptions& options, std::shared_ptr<EventSink> sink);
  void close();
  uint32_t add_port(const PortOptions& options);
  void remove_port(uint32_t id);
  // Lets a port that waits for its peer, or gave it up, try at once.
  void reconnect_port(uint32_t id);
  void set_admin_state(uint32_t id, bool up);
  // No options: nothing is held back from now on.
  void set_shaper(uint32_t id, const std::optional<ShaperOptions>& options);
  // Gives every lcore exactly the queues listed for it; a queue never has two owners on the way.
  void assign(const std::vector<Assignment>& assignments);
  void publish_all();
  // Of every port that has them, by port id.
  std::vector<std::pair<uint32_t, VringTotals>> vring_totals();
  const Eal& eal() const { return eal_; }

  // --- PortHost ---
  void notify(const Notice& notice) override;
  void wake_lcores() override;
  PortTable& ports() override { return ports_; }
  Quiescence& quiescence() override { return quiescence_; }
  PacketMemory& memory() override { return *memory_; }
  PathWatch& paths() override { return paths_; }
  void ring_event_thread() override;
  void publish(PortEvent event) override;

 private:
  Datapath();
  std::shared_ptr<EventSink> sink();
  void hang_doorbell();
  void drain_notices();
  ManagedPort* managed(uint32_t id) const { return static_cast<ManagedPort*>(ports_.find(id)); }
  void assign_under_lock(const std::vector<Assignment>& assignments);

  Eal eal_;  // control thread
  Quiescence quiescence_;
  PortTable ports_;
  const std::unique_ptr<CounterBlock> counters_;
  const std::unique_ptr<InHandTable> in_hand_;  // each set and cleared by one lcore at a time
  NoticeQueue notices_;
  std::atomic<bool> notices_lost_{false};

  std::mutex memory_mutex_;
  std::shared_ptr<PacketMemory> memory_;  // replaced by the control thread under memory_mutex_
  uint32_t mtu_ = 0;                      // control thread

  std::mutex sink_mutex_;
  std::shared_ptr<EventSink> sink_;  // under sink_mutex_

  std::mutex lcores_mutex_;  // held by the control thread while queues change, by an lcore while it
                             // comes or goes
  std::array<Lcore*, kMaxLcores> lcores_{};  // under lcores_mutex_
  std::vector<Assignment> assignments_;      // under lcores_mutex_
  std::array<std::atomic<int>, kMaxLcores>
      wake_fds_;  // made once per index and kept: others may be writing

  PathWatch paths_;                            // control thread
  std::unique_ptr<Doorbell> doorbell_;         // control thread
  std::unique_ptr<StallWatch> stalls_;         // control thread; before doorbell_ is gone
  std::chrono::milliseconds peer_timeout_{0};  // control thread
  uint64_t next_serial_ = 1;                   // control thread
  bool opened_ = false;                        // control thread
  ControlThread control_;                      // last: its thread uses everything above
};

}  // namespace dpdk_vhost
