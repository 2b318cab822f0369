#include "port/shaper.h"

#include <rte_cycles.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "port/port.h"
#include "port/port_table.h"

namespace dpdk_vhost {
namespace {

// All frames of a shaped port go by the tx queue of this lcore.
constexpr uint32_t kSender = 0;

}  // namespace

// --- which of them have something to send ---

void ShaperSchedule::sooner(uint64_t due) {
  uint64_t before = due_.load(std::memory_order_relaxed);
  while (due < before && !due_.compare_exchange_weak(before, due)) {
  }
}

void ShaperSchedule::waits(uint32_t port, uint64_t due) {
  waiting_[port / kBits].fetch_or(uint64_t{1} << port % kBits);
  sooner(due);
}

void ShaperSchedule::empty(uint32_t port) {
  waiting_[port / kBits].fetch_and(~(uint64_t{1} << port % kBits));
}

// The time is forgotten first and found anew: a shaper that gets frames meanwhile either has its
// bit set before it is looked for here, or tells its time after that.
void ShaperSchedule::drain(PortTable& ports, uint64_t now) {
  due_.exchange(kNever);
  for (uint32_t word = 0; word < waiting_.size(); ++word) {
    for (uint64_t left = waiting_[word].load(); left != 0; left &= left - 1) {
      Port* const port = ports.find(word * kBits + static_cast<uint32_t>(__builtin_ctzll(left)));
      Shaper* const shaper = port == nullptr ? nullptr : port->shaper();
      if (shaper == nullptr) continue;
      const uint64_t due = shaper->due();
      if (due > now || !shaper->drain(now)) sooner(due);
    }
  }
}

// --- one of them ---

Shaper::Shaper(Port& port, PortCounters& counters, ShaperSchedule& schedule,
               const ShaperOptions& options)
    : port_(port), counters_(counters), schedule_(schedule), filled_(rte_rdtsc()) {
  configure(options);
  tokens_ = burst_;
}

Shaper::~Shaper() {
  counters_.tx[kSender].dropped_shaper_full.add(count_);
  for (; count_ != 0; pop()) rte_pktmbuf_free(front());
  note();
}

void Shaper::configure(const ShaperOptions& options) {
  std::vector<rte_mbuf*> ring(options.max_frames);
  std::vector<rte_mbuf*> too_many;
  too_many.reserve(max_frames_);
  max_frames_ = options.max_frames;
  {
    const std::lock_guard held(lock_);
    refill(rte_rdtsc());
    is_open_ = false;
    per_cycle_ = options.rate / static_cast<double>(rte_get_tsc_hz());
    burst_ = options.burst;
    max_bytes_ = options.max_bytes;
    tokens_ = std::min(tokens_, burst_);
    ring_.swap(ring);
    const uint32_t waiting = count_;
    uint32_t at = head_;
    head_ = count_ = 0;
    bytes_ = 0;
    for (uint32_t i = 0; i < waiting; ++i) {
      rte_mbuf* const frame = ring[at];
      if (++at == ring.size()) at = 0;
      if (!append(frame)) too_many.push_back(frame);
    }
    counters_.tx[kSender].dropped_shaper_full.add(static_cast<double>(too_many.size()));
    note();
  }
  rte_pktmbuf_free_bulk(too_many.data(), static_cast<unsigned>(too_many.size()));
}

void Shaper::open() {
  const std::lock_guard held(lock_);
  is_open_ = true;
  note();
}

bool Shaper::is_empty() {
  const std::lock_guard held(lock_);
  return count_ == 0;
}

void Shaper::offer(rte_mbuf** frames, uint32_t count, bool shared) {
  if (!port_.ready()) {
    port_.transmit(kSender, frames, count, shared);  // which counts why not
    return;
  }
  const std::lock_guard held(lock_);
  refill(rte_rdtsc());
  if (count_ != 0) send_waiting();
  uint32_t at_once = 0;
  for (; count_ == 0 && at_once < count && affords(frames[at_once]->pkt_len); ++at_once)
    pay(frames[at_once]->pkt_len);
  if (at_once != 0) port_.transmit(kSender, frames, at_once, shared);

  uint32_t kept = at_once;
  for (uint32_t i = at_once; i < count; ++i) {
    if (!append(frames[i])) continue;
    ++kept;
    // A frame with further receivers gets a reference, as a device that sends without copying has.
    if (shared) {
      rte_mbuf_refcnt_update(frames[i], 1);
    } else {
      frames[i] = nullptr;
    }
  }
  if (kept != count) counters_.tx[kSender].dropped_shaper_full.add(count - kept);
  note();
}

bool Shaper::drain(uint64_t now) {
  const std::unique_lock held(lock_, std::try_to_lock);
  if (!held) return false;
  refill(now);
  send_waiting();
  note();
  return true;
}

// What a poll's worth of frames the tokens are there for; all of it where there is nobody to send
// to, which counts it.
void Shaper::send_waiting() {
  rte_mbuf* sending[kMaxBurst];
  do {
    uint32_t count = 0;
    const bool ready = port_.ready();
    while (count < kMaxBurst && count_ != 0) {
      rte_mbuf* const frame = front();
      if (ready) {
        if (!affords(frame->pkt_len)) break;
        pay(frame->pkt_len);
      }
      sending[count++] = frame;
      pop();
    }
    if (count == 0) return;
    port_.transmit(kSender, sending, count, false);
    rte_pktmbuf_free_bulk(sending, count);
    if (ready) return;
  } while (count_ != 0);
}

// A frame that is longer than the burst goes when the bucket is full.
bool Shaper::affords(uint32_t bytes) const {
  return is_open_ || tokens_ >= std::min<double>(bytes, burst_);
}

void Shaper::pay(uint32_t bytes) {
  tokens_ -= is_open_ ? 0 : bytes;
}

void Shaper::refill(uint64_t now) {
  // The counters of two CPUs can differ by a little.
  if (now <= filled_) return;
  tokens_ = std::min(burst_, tokens_ + static_cast<double>(now - filled_) * per_cycle_);
  filled_ = now;
}

bool Shaper::append(rte_mbuf* frame) {
  if (count_ == ring_.size() || bytes_ + frame->pkt_len > max_bytes_) return false;
  uint32_t at = head_ + count_;
  if (at >= ring_.size()) at -= static_cast<uint32_t>(ring_.size());
  ring_[at] = frame;
  ++count_;
  bytes_ += frame->pkt_len;
  return true;
}

void Shaper::pop() {
  bytes_ -= front()->pkt_len;
  if (++head_ == ring_.size()) head_ = 0;
  --count_;
}

// Tells lcores when to come back, and the counters what waits.
void Shaper::note() {
  counters_.shaper.frames.set(count_);
  counters_.shaper.bytes.set(static_cast<double>(bytes_));
  if (count_ == 0) {
    due_.store(ShaperSchedule::kNever, std::memory_order_relaxed);
    schedule_.empty(port_.id());
    return;
  }
  uint64_t due = filled_;
  if (!affords(front()->pkt_len)) {
    const double missing = std::min<double>(front()->pkt_len, burst_) - tokens_;
    due += static_cast<uint64_t>(std::ceil(missing / per_cycle_));
  }
  due_.store(due, std::memory_order_relaxed);
  schedule_.waits(port_.id(), due);
}

}  // namespace dpdk_vhost
