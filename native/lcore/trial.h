#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace dpdk_vhost {

// One trial of RFC 2544: frames from two ports to each other at a set rate, and what came of them.
struct TrialPlan {
  std::array<uint32_t, 2> ports{};
  // Frame of each port, headers first; Stamp is written over what follows them.
  std::array<std::vector<uint8_t>, 2> frames;
  double milliseconds = 0;
  // It ends when nothing came for this long after the last frame was offered.
  double linger_ms = 0;
  // Of each port; 0: as many as the rings take.
  double frames_per_second = 0;
  // Each frame at a random time within its turn, so that nothing beats with anything.
  bool scattered = false;
  // Tells the frames of this trial from those of the one before.
  uint32_t number = 0;
};

// Values in cycles, in buckets of equal ratio: 64 to an octave.
class CycleHistogram {
 public:
  static constexpr uint32_t kStepBits = 6;
  static constexpr uint32_t kOctaves = 40;
  static constexpr uint32_t kBuckets = (kOctaves - kStepBits + 1) << kStepBits;

  void add(uint64_t cycles) {
    if (cycles > kMost) cycles = kMost;
    const auto top =
        static_cast<uint32_t>(63 - __builtin_clzll(cycles | (uint64_t{1} << kStepBits)));
    const uint32_t shift = top - kStepBits;
    buckets_[(shift << kStepBits) + static_cast<uint32_t>(cycles >> shift)] += 1;
  }
  const std::vector<double>& buckets() const { return buckets_; }

 private:
  static constexpr uint64_t kMost = (uint64_t{1} << kOctaves) - 1;
  std::vector<double> buckets_ = std::vector<double>(kBuckets);
};

struct TrialResult {
  struct Direction {
    uint64_t offered = 0;       // frames that were due, and offered to the ring
    uint64_t absent = 0;        // frames that fell due, and were skipped, while the tester was away
    uint64_t refused = 0;       // of those offered, not taken by the ring, because it was full
    uint64_t received = 0;      // of the others, at the other port
    uint64_t out_of_order = 0;  // again, or after one that was sent later; not among them
  };
  std::array<Direction, 2> directions;  // by the port that sends
  uint64_t foreign = 0;                 // frames received that are none of this trial
  uint64_t unjudged = 0;                // received, and not in `latency`: the tester was away
  double sending_ms = 0;                // from the first frame's time until the last was offered
  double longest_pause_ms = 0;          // between two looks at the rings
  double busy = 0;                      // share of the time in which frames were sent or received
  CycleHistogram latency;               // from the time a frame was due until it was received
  CycleHistogram lateness;              // from that time until it was offered
};

}  // namespace dpdk_vhost
