#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace dpdk_vhost {

// Which of its rx queues an lcore looks at in a poll, and in which order. Those that had frames
// lately are looked at in every poll, in turns; of the others a few, so that hundreds of idle ports
// cost the busy ones little. While none is busy all are looked at.
//
// Made by the control thread, from then on the lcore's thread's alone. Allocates only when made.
class PollOrder {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  explicit PollOrder(uint32_t queues) : queue_(queues), empty_polls_(queues) {
    std::iota(queue_.begin(), queue_.end(), uint16_t{0});
    busy_ = is_few() ? queues : 0;
  }

  // Begins a poll; `all`: of all queues, before a sleep and after it.
  void begin(bool all) {
    const uint32_t idle = size() - busy_;
    left_busy_ = busy_;
    left_first_ = busy_ != 0 && idle != 0 && ++polls_ % kIdleEvery == 0 ? 1 : 0;
    left_last_ = idle - left_first_;
    if (!all && busy_ != 0) left_last_ = std::min(left_last_, kIdleLast);
  }

  // The queue to look at: its index in the list, or kNone at the end of the poll.
  uint32_t next() {
    if (left_first_ != 0) {
      --left_first_;
      return next_idle();
    }
    if (left_busy_ != 0) {
      --left_busy_;
      if (busy_at_ >= busy_) busy_at_ = 0;
      at_ = busy_at_++;
      return queue_[at_];
    }
    if (left_last_ == 0) return kNone;
    --left_last_;
    return next_idle();
  }

  // The queue that `next` named had frames.
  void found() {
    empty_polls_[queue_[at_]] = 0;
    if (at_ >= busy_) std::swap(queue_[at_], queue_[busy_++]);
  }

  // The queue that `next` named had none.
  void empty() {
    if (at_ >= busy_ || is_few() || ++empty_polls_[queue_[at_]] < kIdleAfter) return;
    empty_polls_[queue_[at_]] = 0;
    std::swap(queue_[at_], queue_[--busy_]);
    left_busy_ = std::min(left_busy_, busy_);
  }

 private:
  // Polls without frames after which a queue counts as idle.
  static constexpr uint16_t kIdleAfter = 256;
  // So many are not worth a difference.
  static constexpr uint32_t kFew = 8;
  // In every so many polls an idle one is looked at before the busy ones, for these may never let
  // it come to others. It is not in the cache: one look costs as much as four frames.
  static constexpr uint32_t kIdleEvery = 4;
  // So many are looked at after them, when none of them had frames.
  static constexpr uint32_t kIdleLast = 16;

  uint32_t size() const { return static_cast<uint32_t>(queue_.size()); }
  bool is_few() const { return queue_.size() <= kFew; }

  uint32_t next_idle() {
    if (idle_at_ < busy_ || idle_at_ >= size()) idle_at_ = busy_;
    at_ = idle_at_++;
    return queue_[at_];
  }

  std::vector<uint16_t> queue_;        // indices into the list, busy ones first
  std::vector<uint16_t> empty_polls_;  // in a row, of busy ones
  uint32_t busy_ = 0;
  uint32_t at_ = 0;  // place of the one that `next` named
  uint32_t busy_at_ = 0;
  uint32_t idle_at_ = 0;
  uint32_t left_first_ = 0;
  uint32_t polls_ = 0;
  uint32_t left_busy_ = 0;
  uint32_t left_last_ = 0;
};

}  // namespace dpdk_vhost
