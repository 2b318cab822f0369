#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace dpdk_vhost {

// What a peer did to be held down for.
enum class Misdeed : uint32_t { none, stalled, flapped, lost_memory, blocked_calls };

// Keeps a port from its peer for a while: a second at first, twice as long when it comes to that
// again soon. Any thread.
class PeerHold {
 public:
  using Clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  void begin(Misdeed why) {
    const int64_t now = ms_now();
    const int64_t last = length_.load(std::memory_order_relaxed);
    const bool again = last != 0 && now - until_.load(std::memory_order_relaxed) < kSoon;
    const int64_t length = again ? std::min(2 * last, kLongest) : kFirst;
    why_.store(why, std::memory_order_relaxed);
    length_.store(length, std::memory_order_relaxed);
    is_told_.store(false, std::memory_order_relaxed);
    until_.store(now + length, std::memory_order_release);
  }
  void clear() {
    length_.store(0, std::memory_order_relaxed);
    until_.store(0, std::memory_order_release);
  }

  // 0: the peer is welcome.
  milliseconds left() const {
    const int64_t until = until_.load(std::memory_order_acquire);
    return milliseconds{until == 0 ? 0 : std::max<int64_t>(until - ms_now(), 0)};
  }
  bool is_active() const { return left().count() != 0; }
  // True for the first who asks since it began.
  bool is_news() { return !is_told_.exchange(true); }

  std::string reason() const {
    const int64_t length = length_.load(std::memory_order_relaxed);
    return what() + std::string("; held down for ") + std::to_string(length / 1000) + " s";
  }

 private:
  static constexpr int64_t kFirst = 1000, kLongest = 32'000, kSoon = 60'000;

  static int64_t ms_now() {
    return std::chrono::duration_cast<milliseconds>(Clock::now().time_since_epoch()).count();
  }
  const char* what() const {
    switch (why_.load(std::memory_order_relaxed)) {
      case Misdeed::stalled:
        return "the peer began a message, or left our answers unread, and held up all others";
      case Misdeed::flapped:
        return "flapping: the device came and went more often than flapLimit allows";
      case Misdeed::lost_memory:
        return "memory that the peer shared is gone: its file was made shorter, or its host ran "
               "out "
               "of hugepages";
      case Misdeed::blocked_calls:
        return "the peer filled an eventfd by which it is called, so that writers wait for it";
      case Misdeed::none:
        break;
    }
    return "";
  }

  std::atomic<Misdeed> why_{Misdeed::none};
  std::atomic<int64_t> length_{0};
  std::atomic<int64_t> until_{0};
  std::atomic<bool> is_told_{false};
};

}  // namespace dpdk_vhost
