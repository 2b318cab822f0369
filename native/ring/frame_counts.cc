#include "ring/frame_counts.h"

#include <rte_branch_prediction.h>
#include <rte_ether.h>

namespace dpdk_vhost {
namespace {

// How many of each size, a byte each: no adding waits for the one before, as it would in memory.
constexpr uint32_t kBits = 8;
constexpr uint32_t kMost = (1U << kBits) - 1;

// The longest frame of each size but the last.
constexpr std::array<uint32_t, 7> kLongest{63, 64, 127, 255, 511, 1023, 1518};

// By length: where in the word its size is counted.
constexpr auto kPlaces = [] {
  std::array<uint8_t, kLongest.back() + 1> places{};
  for (uint32_t length = 0; length < places.size(); ++length)
    for (const uint32_t longest : kLongest)
      places[length] = static_cast<uint8_t>(places[length] + (length > longest ? kBits : 0));
  return places;
}();
constexpr uint32_t kPlaceOfLonger = kBits * kLongest.size();

}  // namespace

void FrameCounts::add(rte_mbuf* const* frames, uint32_t count) {
  uint64_t bytes = 0;
  uint64_t sizes = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const rte_mbuf* const frame = frames[i];
    const uint32_t length = frame->pkt_len;
    bytes += length;
    sizes += uint64_t{1} << (length < kPlaces.size() ? kPlaces[length] : kPlaceOfLonger);
    const auto* const to = rte_pktmbuf_mtod(frame, const rte_ether_addr*);
    if (unlikely(rte_is_multicast_ether_addr(to)))
      add(rte_is_broadcast_ether_addr(to) ? broadcast_ : multicast_, 1);
  }
  add(bytes_, bytes);
  for (size_t size = 0; sizes != 0; sizes >>= kBits, ++size)
    if ((sizes & kMost) != 0) add(sizes_[size], sizes & kMost);
}

FrameCounts::Values FrameCounts::values() const {
  const auto read = [](const Figure& figure) { return figure.load(std::memory_order_relaxed); };
  Values values{};
  uint64_t frames = 0;
  for (size_t size = 0; size < kSizes; ++size) frames += values[size] = read(sizes_[size]);
  values[kSizes] = frames;
  values[kSizes + 1] = read(bytes_);
  values[kSizes + 2] = read(multicast_);
  values[kSizes + 3] = read(broadcast_);
  return values;
}

}  // namespace dpdk_vhost
