#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "constants.h"
#include "lcore/poll_order.h"

namespace dpdk_vhost {

class Port;

// Whether frames of an rx queue are in hand: taken from it by an lcore and not sent yet, because a
// program is at work on them. Set and cleared by the lcore that took them; an lcore that the queue
// was given to meanwhile waits, else its frames could overtake those.
struct alignas(64) InHand {
  std::atomic<bool> value{false};
};
// By port id and queue. It outlives ports: frames in hand may be those of one that is gone.
using InHandTable = std::array<std::array<InHand, kMaxQueuePairs>, kMaxPorts>;

// One (port, rx queue) that an lcore polls.
struct RxQueue {
  Port* port = nullptr;
  uint16_t queue = 0;
  InHand* in_hand = nullptr;
};

using QueueList = std::vector<RxQueue>;

// What an lcore polls: published whole to it and replaced whole.
struct PolledQueues {
  explicit PolledQueues(QueueList list)
      : queues(std::move(list)), order(static_cast<uint32_t>(queues.size())) {}

  const QueueList queues;
  PollOrder order;  // the lcore's thread
};

}  // namespace dpdk_vhost
