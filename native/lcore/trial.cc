#include "lcore/trial.h"

#include <rte_cycles.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <cstring>

#include "lcore/lcore.h"
#include "port/port.h"

// The tester of the benchmark: sends, receives and reads the clock on one thread, so that one
// counter is all the time there is. In C++, because a tester must not pause to collect garbage.

namespace dpdk_vhost {
namespace {

constexpr uint32_t kBatch = 32;
// Time before the first frame in which whoever asked for the trial goes to sleep.
constexpr double kSettleMs = 2;
// A tester that did not look at its rings for this long was away: whoever else used its CPU, or the
// host under it. How late the frames are that came or fell due meanwhile says nothing of the
// switch.
constexpr double kAwayMs = 0.01;
// What is overdue by more than this is skipped instead of sent in one rush that the switch would
// have to bear: a tester with a clock of its own never rushes.
constexpr double kSkipMs = 0.1;

constexpr uint32_t kHeaders = 14 + 20 + 8;
// Written bytes of a longer frame: the rest of the buffer stays as it is.
constexpr uint32_t kWritten = 64;

// What a frame carries behind its UDP header.
struct __attribute__((packed)) Stamp {
  uint32_t trial;
  uint32_t number;
  uint64_t due;  // time stamp counter; 0: offered too late to be judged
};

// One port: what it has to send, and where that stands.
struct Sender {
  RxQueue queue;
  const std::vector<uint8_t>& frame;
  double start;
  double interval;  // cycles; 0: as many as the ring takes
  uint64_t total;
  bool scattered;
  uint64_t random;
  uint64_t number = 0;
  uint64_t next_due = 0;

  void schedule() {
    double turn = 0;
    if (scattered) {
      // xorshift64 (Marsaglia 2003)
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      turn = static_cast<double>(random >> 11) * 0x1p-53;
    }
    next_due = static_cast<uint64_t>(start + (static_cast<double>(number) + turn) * interval);
  }
  void skip_to(uint64_t now) {
    const auto turns = static_cast<uint64_t>((static_cast<double>(now) - start) / interval);
    number = std::min(std::max(number, turns), total);
    schedule();
  }
  bool due(uint64_t now) const { return number < total && next_due <= now; }
};

}  // namespace

TrialResult Lcore::trial(const TrialPlan& plan) {
  TrialResult result;
  const double cycles_per_ms = 1 / ms_per_cycle_;
  const uint64_t start = rte_rdtsc() + static_cast<uint64_t>(kSettleMs * cycles_per_ms);
  const uint64_t end = start + static_cast<uint64_t>(plan.milliseconds * cycles_per_ms);
  const auto away = static_cast<uint64_t>(kAwayMs * cycles_per_ms);
  const auto skip = static_cast<uint64_t>(kSkipMs * cycles_per_ms);
  const auto linger = static_cast<uint64_t>(plan.linger_ms * cycles_per_ms);
  const bool paced = plan.frames_per_second != 0;
  const double interval = paced ? 1000 * cycles_per_ms / plan.frames_per_second : 0;
  const uint64_t total =
      paced ? static_cast<uint64_t>(plan.milliseconds * plan.frames_per_second / 1000) : UINT64_MAX;
  const auto sender = [&](uint32_t side) {
    // The two take turns.
    Sender made{
        {},    plan.frames[side], static_cast<double>(start) + side * interval / 2, interval,
        total, plan.scattered,    0x9e3779b97f4a7c15 + plan.number + side};
    made.schedule();
    return made;
  };
  std::array<Sender, 2> senders{sender(0), sender(1)};
  std::array<uint32_t, 2> expected{};
  std::array<uint64_t, 2> last_look{start, start};
  std::array<rte_mbuf*, kBatch> made{};
  std::array<uint64_t, kBatch> lateness{};

  // Frames to be filled, on their way into this CPU's cache: the switch's has them.
  std::array<rte_mbuf*, kBatch> stock{};
  uint32_t stocked = 0;
  const auto refill = [&] {
    if (rte_pktmbuf_alloc_bulk(memory_->pool(), &stock[stocked], kBatch - stocked) != 0) return;
    for (; stocked < kBatch; ++stocked)
      rte_prefetch0_write(rte_pktmbuf_mtod(stock[stocked], void*));
  };
  uint64_t pause = 0;  // since the look at the rings before this one
  const auto send = [&](uint32_t side, uint64_t now) {
    Sender& from = senders[side];
    if (paced && now > from.next_due + skip) {
      const uint64_t first = from.number;
      from.skip_to(now);
      // Else it is too slow for this rate.
      if (pause > skip / 2) result.directions[side].absent += from.number - first;
    }
    uint32_t count = 0;
    for (; count < kBatch && from.due(now); ++count) {
      if (stocked == 0) break;
      rte_mbuf* const frame = stock[--stocked];
      const auto length = static_cast<uint16_t>(from.frame.size());
      frame->data_len = length;
      frame->pkt_len = length;
      auto* const bytes = rte_pktmbuf_mtod(frame, uint8_t*);
      memcpy(bytes, from.frame.data(), std::min<uint32_t>(length, kWritten));
      const uint64_t late = paced ? now - from.next_due : 0;
      const Stamp stamp{plan.number, static_cast<uint32_t>(from.number),
                        late > away ? 0 : now - late};
      memcpy(bytes + kHeaders, &stamp, sizeof stamp);
      lateness[count] = late;
      made[count] = frame;
      ++from.number;
      if (paced) from.schedule();
    }
    if (count == 0) return;
    refill();
    from.queue.port->transmit(index_, made.data(), count, false);
    const auto refused =
        static_cast<uint64_t>(count - std::count(made.begin(), made.begin() + count, nullptr));
    memory_->free(made.data(), count);
    for (uint32_t i = 0; i < count; ++i) result.lateness.add(lateness[i]);
    result.directions[side].offered += count;
    result.directions[side].refused += refused;
    was_busy_ = true;
  };

  const auto receive = [&](uint32_t side) -> uint32_t {
    const RxQueue& at = senders[side].queue;
    const uint32_t count = at.port->receive(at.queue, memory_->pool(), frames_.data(),
                                            std::min(burst_limit_, kMaxBurst));
    if (count == 0) {
      last_look[side] = last_tick_;
      return 0;
    }
    const uint64_t now = rte_rdtsc();
    const bool was_away = now - last_look[side] > away;
    for (uint32_t i = 0; i < count; ++i)
      rte_prefetch0(rte_pktmbuf_mtod_offset(frames_[i], void*, kHeaders));
    TrialResult::Direction& direction = result.directions[side ^ 1];
    uint32_t& next = expected[side];
    for (uint32_t i = 0; i < count; ++i) {
      Stamp stamp{};
      if (frames_[i]->data_len >= kHeaders + sizeof stamp)
        memcpy(&stamp, rte_pktmbuf_mtod_offset(frames_[i], void*, kHeaders), sizeof stamp);
      if (stamp.trial != plan.number || stamp.due > now) {
        ++result.foreign;
        continue;
      }
      // Again, or overtaken: no switch may do that, and the first must not make up for one that is
      // lost.
      if (stamp.number < next) {
        ++direction.out_of_order;
        continue;
      }
      next = stamp.number + 1;
      ++direction.received;
      if (stamp.due == 0 || was_away) {
        ++result.unjudged;
      } else {
        result.latency.add(now - stamp.due);
      }
    }
    at.port->counters.rx[at.queue].frames.add(count);
    memory_->free(frames_.data(), count);
    was_busy_ = true;
    last_look[side] = now;
    return count;
  };

  refill();
  uint64_t last_offered = start;
  uint64_t last_received = start;
  uint64_t before = 0;
  uint64_t longest_pause = 0;
  uint64_t busy = 0;
  for (;;) {
    const Quiescence::Section section(reader_);
    const bool worked = was_busy_;
    tick();
    const uint64_t now = last_tick_;
    if (before >= start) {
      pause = now - before;
      longest_pause = std::max(longest_pause, pause);
      if (worked) busy += now - before;
    }
    before = now;
    was_busy_ = false;

    const QueueList& queues = polled_.load(std::memory_order_acquire)->queues;
    for (uint32_t side = 0; side < 2; ++side) {
      const auto found = std::find_if(queues.begin(), queues.end(), [&](const RxQueue& queue) {
        return queue.port->id() == plan.ports[side] && queue.queue == 0;
      });
      if (found == queues.end()) {
        memory_->free(stock.data(), stocked);
        return result;
      }
      senders[side].queue = *found;
    }

    const bool more = paced ? senders[0].number < total || senders[1].number < total : now < end;
    if (now < start) {
      // Nothing is due yet.
    } else if (more) {
      last_offered = now;
      for (uint32_t side = 0; side < 2; ++side) send(side, now);
    } else {
      uint64_t missing = 0;
      for (const auto& direction : result.directions)
        missing += direction.offered - direction.refused - direction.received;
      if (missing == 0 || now - std::max(last_received, last_offered) > linger) break;
    }
    for (uint32_t side = 0; side < 2; ++side)
      if (receive(side) != 0) last_received = now;
  }
  memory_->free(stock.data(), stocked);
  result.sending_ms = static_cast<double>(last_offered - start) * ms_per_cycle_;
  result.longest_pause_ms = static_cast<double>(longest_pause) * ms_per_cycle_;
  result.busy = static_cast<double>(busy) / static_cast<double>(before - start);
  return result;
}

}  // namespace dpdk_vhost
