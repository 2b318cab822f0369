#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "constants.h"

namespace dpdk_vhost {

// One figure in the block that JavaScript reads without a call. A double, because a Float64Array
// element is read as a plain number (a BigUint64Array would make a BigInt each time); exact up to
// 2^53. Each has one writer at a time: the lcore that owns the rx queue, or the holder of the tx
// queue's lock.
class Counter {
 public:
  void add(double amount) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void set(double value) { value_.store(value, std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};
static_assert(sizeof(Counter) == sizeof(double));

// What an lcore counts for frames of one rx queue, or for frames that a program made
// (`LcoreCounters::made`).
struct alignas(64) RxCounters {
  Counter frames;
  Counter bytes;
  Counter dropped_by_program;
  Counter dropped_bad_verdict;
  Counter dropped_bad_offset;
  Counter dropped_no_such_port;
  Counter dropped_program_error;
  Counter dropped_oversize;
};
inline constexpr std::array kRxCounterNames{"frames",
                                            "bytes",
                                            "droppedByProgram",
                                            "droppedBadVerdict",
                                            "droppedBadOffset",
                                            "droppedNoSuchPort",
                                            "droppedProgramError",
                                            "droppedOversize"};
static_assert(sizeof(RxCounters) == 64 && kRxCounterNames.size() == 8);

// What happened to frames handed to one tx queue.
struct alignas(64) TxCounters {
  Counter frames;
  Counter bytes;
  Counter dropped_ring_full;
  Counter dropped_not_connected;
  Counter dropped_oversize;
  Counter retries;
  Counter calls;
  Counter dropped_shaper_full;  // under the shaper's lock, in queue 0
};
inline constexpr std::array kTxCounterNames{
    "frames",          "bytes",   "droppedRingFull", "droppedNotConnected",
    "droppedOversize", "retries", "calls",           "droppedShaperFull"};
static_assert(sizeof(TxCounters) == 64 && kTxCounterNames.size() == 8);

// What waits in a port's shaper.
struct alignas(64) ShaperGauges {
  Counter frames;
  Counter bytes;
};

// What a vhost-user peer did to us.
struct alignas(64) PeerCounters {
  Counter stalls;         // times it held up librte's event thread; the stall watch's
  Counter flaps;          // times it was held down for flapping; librte's event thread's
  Counter memory_faults;  // times memory it shared was gone; the control thread's
};
inline constexpr std::array kPeerCounterNames{"stalls", "flaps", "memoryFaults"};

struct PortCounters {
  std::array<RxCounters, kMaxQueuePairs> rx;
  std::array<TxCounters, kMaxQueuePairs> tx;
  ShaperGauges shaper;
  PeerCounters peer;
};

constexpr uint32_t kHistogramBuckets = 9;  // bursts of 1, 2-3, 4-7, ... 128-255, 256

struct LcoreCounters {
  Counter polls;
  Counter empty_polls;
  Counter busy_cycles;
  Counter total_cycles;
  Counter sleeps;
  Counter frames_made;
  Counter frames_not_made;
  Counter frames_copied;
  Counter frames;
  std::array<Counter, kHistogramBuckets> burst_sizes;
  RxCounters made;
};
inline constexpr std::array kLcoreCounterNames{"polls",         "emptyPolls",   "busyCycles",
                                               "totalCycles",   "sleeps",       "framesMade",
                                               "framesNotMade", "framesCopied", "frames"};

struct CounterBlock {
  std::array<PortCounters, kMaxPorts> ports;
  std::array<LcoreCounters, kMaxLcores> lcores;
};

}  // namespace dpdk_vhost
