#pragma once

#include <rte_mbuf.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "constants.h"
#include "counters.h"
#include "port/spin_lock.h"

namespace dpdk_vhost {

class Port;
class PortTable;

// What a shaper lets out, and what it holds back for later.
struct ShaperOptions {
  double rate = 0;          // bytes a second, Ethernet header included
  double burst = 0;         // bytes at once
  uint32_t max_frames = 0;  // that wait
  uint64_t max_bytes = 0;   // that wait
};

// Which shapers have frames waiting, and from when on the first of them can send one: all that an
// lcore has to look at while none has.
class ShaperSchedule {
 public:
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  // --- lcores ---
  // The earliest time (TSC) at which a shaper can send; kNever while nothing waits.
  uint64_t due() const { return due_.load(std::memory_order_relaxed); }
  // Sends what is due. Inside a section.
  void drain(PortTable& ports, uint64_t now);

  // --- shapers, under their own lock ---
  void waits(uint32_t port, uint64_t due);
  void empty(uint32_t port);

 private:
  static constexpr uint32_t kBits = 64;
  void sooner(uint64_t due);

  alignas(64) std::atomic<uint64_t> due_{kNever};
  alignas(64) std::array<std::atomic<uint64_t>, kMaxPorts / kBits> waiting_{};  // a bit a port
};

// Holds back what a port would send above its rate, in a queue that drops its tail. Any lcore puts
// frames in, and any lcore that polls takes out what is due: none owns it, so that none has to be
// there. All of it goes by one tx queue, else frames could overtake each other.
class Shaper {
 public:
  Shaper(Port& port, PortCounters& counters, ShaperSchedule& schedule,
         const ShaperOptions& options);
  // Frees what waits.
  ~Shaper();
  Shaper(const Shaper&) = delete;
  Shaper& operator=(const Shaper&) = delete;

  // --- lcores, inside a section ---
  // As Port::transmit: sends at once what may be sent at once, and keeps or drops the rest.
  void offer(rte_mbuf** frames, uint32_t count, bool shared);
  // Sends what is due. False: another thread has the shaper in hand.
  bool drain(uint64_t now);
  // When the first frame that waits can be sent.
  uint64_t due() const { return due_.load(std::memory_order_relaxed); }

  // --- control thread ---
  // In force at once; what waits and has no room any more is dropped from the tail.
  void configure(const ShaperOptions& options);
  // Lets everything out from now on.
  void open();
  bool is_empty();
  uint32_t max_frames() const { return max_frames_; }

 private:
  bool affords(uint32_t bytes) const;
  void pay(uint32_t bytes);
  void refill(uint64_t now);
  bool append(rte_mbuf* frame);
  rte_mbuf* front() const { return ring_[head_]; }
  void pop();
  void send_waiting();
  void note();

  Port& port_;
  PortCounters& counters_;
  ShaperSchedule& schedule_;
  std::atomic<uint64_t> due_{ShaperSchedule::kNever};
  uint32_t max_frames_ = 0;  // control thread

  // Everything below is under lock_.
  SpinLock lock_;
  bool is_open_ = false;
  double per_cycle_ = 0;  // bytes
  double burst_ = 0;
  double tokens_ = 0;  // bytes
  uint64_t filled_ = 0;
  uint64_t max_bytes_ = 0;
  std::vector<rte_mbuf*> ring_;
  uint32_t head_ = 0;
  uint32_t count_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace dpdk_vhost
