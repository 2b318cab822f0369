#pragma once

#include <rte_mbuf.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "counters.h"
#include "eal/quiescence.h"
#include "lcore/queue_list.h"
#include "lcore/shared.h"
#include "lcore/sleeper.h"
#include "lcore/trial.h"
#include "memory/packet_memory.h"
#include "port/port_table.h"

namespace dpdk_vhost {

// What a program was given and has not given back.
struct BurstInHand {
  uint64_t number;  // counts bursts
  uint32_t port;
  uint32_t queue;
  uint32_t frames;
  std::vector<uint8_t> first;  // the begin of the first frame, as the program may have left it
};

// A thread that polls. Made, used and destroyed on that thread; only `replace_queues` is for the
// control thread.
class Lcore {
 public:
  Lcore(uint32_t index, std::shared_ptr<PacketMemory> memory, PortTable& ports,
        Quiescence& quiescence, CounterBlock& counters, int wake_fd, uint32_t burst_limit);
  ~Lcore();
  Lcore(const Lcore&) = delete;
  Lcore& operator=(const Lcore&) = delete;

  // Sends the last burst as its verdicts say, then takes the next one from the next rx queue that
  // has frames. Returns how many frames it holds; 0 when all queues were empty.
  uint32_t poll();

  // As poll, but asks the peers to signal first, and when there is nothing waits for a signal, a
  // wake-up or the deadline before it looks again. Blocks the thread, outside any section.
  uint32_t wait(uint32_t timeout_ms);

  // The two halves of wait for a thread that must not block: arm as poll does, with signals asked
  // for; then somebody else waits on `sleeper()`, and `disarm` ends it.
  uint32_t arm();
  void disarm();
  const Sleeper& sleeper() const { return sleeper_; }

  // Sends the last burst as its verdicts say.
  void flush();

  // Drops the frames of the current burst, counted as a program's error.
  void fail_burst();
  void flush_copies();
  int32_t create(uint32_t length);
  int32_t duplicate(uint32_t index);

  // A switch between the two first queues' ports in C++ alone, without checks: what the boundary to
  // JavaScript is measured against. Returns the frames received.
  uint64_t native_io(uint32_t milliseconds);

  // Sends and counts frames between two of the ports whose first rx queues it polls; for the
  // benchmark. Ends early, with what came to pass so far, when it no longer polls both.
  TrialResult trial(const TrialPlan& plan);

  // Control thread: the new list is in force, and the old one in nobody's hands, when it returns.
  // Frames of the last burst may still be in hand (`RxQueue::in_hand`).
  void replace_queues(QueueList queues);

  // Any thread, while the lcore cannot go. None: no program has a burst.
  std::optional<BurstInHand> burst_in_hand() const;

  uint32_t index() const { return index_; }
  const std::shared_ptr<BurstBlock>& block() const { return block_; }

 private:
  // Frames begin..end-1 of the burst, all for one port.
  struct Run {
    uint16_t begin;
    uint16_t end;
    uint16_t next;
  };
  static constexpr uint16_t kNoRun = UINT16_MAX;

  uint32_t poll(bool all);
  // Looks at rx queues until one has frames; `all`: at every one of them before it gives up.
  uint32_t receive(bool all);
  void transmit();
  void transmit_copies();
  void add_run(uint32_t port, uint32_t begin, uint32_t end);
  void send_runs(bool shared);
  void send_list(Port& port, uint16_t first, bool shared);
  bool adopt(uint32_t index);
  RxCounters& rx_counters(uint32_t index);
  void drop(uint32_t index, Counter RxCounters::*reason) { (rx_counters(index).*reason).add(1); }
  void refresh_ready_ports();
  void tick();
  uint32_t ms_until(uint64_t due) const;
  void end_burst();
  void show(uint32_t index, rte_mbuf* frame);
  // Shows the frames of a fresh burst to the program, and finds out whether each fits its one
  // buffer. Returns their bytes.
  uint64_t show_first(uint32_t count, bool& all_fit);
  // Drops those that do not; returns how many are left.
  uint32_t drop_oversize(uint32_t count, RxCounters& counted);
  uint32_t payload_of(uint32_t count) const;
  void find_expected(uint32_t count);
  bool is_untouched() const;
  Port* only_receiver() const;
  void add_runs(bool untouched);
  void add_checked(uint32_t port, uint32_t begin, uint32_t end);
  int32_t append(rte_mbuf* frame);

  const uint32_t index_;
  const std::shared_ptr<PacketMemory> memory_;
  PortTable& ports_;
  Quiescence& quiescence_;
  const Quiescence::Reader reader_;
  CounterBlock& all_counters_;
  LcoreCounters& counters_;
  const uint32_t burst_limit_;
  const std::shared_ptr<BurstBlock> block_;
  Sleeper sleeper_;

  std::atomic<PolledQueues*> polled_;  // written by the control thread

  // Everything below belongs to the lcore's thread.
  uint32_t native_io_turn_ = 0;
  uint32_t received_ = 0;  // frames of the burst that came from in_port_, in_queue_
  uint32_t total_ = 0;     // with those the program added
  uint32_t in_port_ = 0;
  uint32_t in_queue_ = 0;
  InHand* in_hand_ = nullptr;  // of that queue, while received_ is not 0
  // For other threads: how many bursts there were, what the last one is, and where its first frame
  // lies (offset << 32 | length); see burst_in_hand.
  std::atomic<uint64_t> burst_number_{0};
  std::atomic<uint64_t> first_{0};
  std::atomic<uint64_t> handed_{0};
  uint32_t ready_epoch_ = 0;
  uint64_t last_tick_ = 0;
  bool was_busy_ = false;
  const double ms_per_cycle_;

  std::array<rte_mbuf*, kMaxFrames> frames_{};
  // As the block said when the frame was taken: an unchanged pair needs no check.
  std::array<uint32_t, kMaxFrames> offset_{};
  std::array<uint32_t, kMaxFrames> length_{};

  // Frames for one port are sent together: its runs are linked in order, each port touched is
  // listed once.
  std::array<Run, kMaxCopies> runs_{};
  std::array<uint16_t, kMaxPorts> first_run_;  // kNoRun between two sends
  std::array<uint16_t, kMaxPorts> last_run_{};
  std::array<uint16_t, kMaxPorts> touched_{};
  uint32_t run_count_ = 0;
  uint32_t touched_count_ = 0;
};

}  // namespace dpdk_vhost
