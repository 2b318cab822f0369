#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "constants.h"
#include "lcore/expected_source.h"

namespace dpdk_vhost {

// Indices into BurstBlock::words; src/burst/burst.ts holds the same list as BurstWord.
enum BurstWord : uint32_t {
  kInPort = 0,
  kInQueue = 1,
  kTotal = 2,
  kCopyCount = 3,
  kReadyCount = 4,
  kReadyEpoch = 5,
  kPayload = 6,
  kExpected = 7,
  kExpectedTag = 8,
};

// Verdict of a frame that goes nowhere.
constexpr int32_t kDrop = -1;

// What one lcore and the program on its thread share. Only that thread touches it, from both
// languages in turn, so nothing here is atomic. JavaScript may write any value anywhere: every word
// is checked when it is used.
struct alignas(64) BurstBlock {
  std::array<uint32_t, 16> words{};
  std::array<double, 8> clock{};
  std::array<uint32_t, kMaxFrames> offset{};
  std::array<uint32_t, kMaxFrames> length{};
  std::array<int32_t, kMaxFrames> out_port{};
  std::array<uint32_t, kMaxCopies> copy_frame{};
  std::array<int32_t, kMaxCopies> copy_port{};
  std::array<uint32_t, kMaxPorts> ready_ports{};
  std::array<uint8_t, kMaxPorts> is_ready{};
  std::array<ExpectedSource, kMaxPorts> expected{};  // by port id; the program writes them
};

}  // namespace dpdk_vhost
