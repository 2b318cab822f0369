#pragma once

#include <algorithm>
#include <chrono>

namespace dpdk_vhost {

// How often a guest's device comes and goes: a token bucket that holds what ten seconds allow.
// librte's event thread, or whoever connects while that one has no device of the port.
class FlapMeter {
 public:
  // A driver that is bound toggles its queues, once or a few times each.
  static constexpr double kRestart = 1;
  static constexpr double kQueueChange = 1.0 / 16;

  // `limit`: restarts a second; 0: as many as come.
  explicit FlapMeter(double limit) : limit_(limit), left_(kSeconds * limit) {}

  void note(double cost) {
    if (limit_ != 0) left_ -= cost;
  }
  // True once for each time that it was too much; then starts anew.
  bool is_exceeded() {
    if (limit_ == 0) return false;
    const auto now = Clock::now();
    const std::chrono::duration<double> passed = now - last_;
    last_ = now;
    left_ = std::min(left_ + passed.count() * limit_, kSeconds * limit_);
    if (left_ >= 0) return false;
    left_ = kSeconds * limit_;
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr double kSeconds = 10;

  const double limit_;
  double left_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace dpdk_vhost
