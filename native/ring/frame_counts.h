#pragma once

#include <rte_mbuf.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace dpdk_vhost {

// What librte_vhost counts of the frames of a vring (vhost_queue_stats_update in its sources), for
// those that it does not see. Only grows. Written by whoever has the vring in hand, one at a time,
// as `Counter`s are; read by anybody.
class alignas(64) FrameCounts {
 public:
  // librte's names, in the order of `values`.
  static constexpr std::array kNames{"undersize_packets",      "size_64_packets",
                                     "size_65_127_packets",    "size_128_255_packets",
                                     "size_256_511_packets",   "size_512_1023_packets",
                                     "size_1024_1518_packets", "size_1519_max_packets",
                                     "good_packets",           "good_bytes",
                                     "multicast_packets",      "broadcast_packets"};
  using Values = std::array<uint64_t, kNames.size()>;

  // At most 255 frames at a time.
  void add(rte_mbuf* const* frames, uint32_t count);
  Values values() const;

 private:
  using Figure = std::atomic<uint64_t>;
  static constexpr size_t kSizes = 8;

  static void add(Figure& figure, uint64_t amount) {
    figure.store(figure.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }

  std::array<Figure, kSizes> sizes_{};
  Figure bytes_{0};
  Figure multicast_{0};
  Figure broadcast_{0};
};

}  // namespace dpdk_vhost
