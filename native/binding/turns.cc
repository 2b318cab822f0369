#include "binding/turns.h"

#include <poll.h>

#include <chrono>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "binding/event_loop.h"

namespace dpdk_vhost {

namespace {
// Longest time without a round, for what cannot be seen from here: setImmediate(...).unref(), of
// which nothing tells.
constexpr std::chrono::milliseconds kLongest{100};

uv_loop_s* loop_of(napi_env env) {
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) throw std::runtime_error("no event loop");
  return loop;
}
}  // namespace

// An idle handle of the loop that is active between turns only: an active one leaves the loop no
// time to wait, and that is what the loop is asked for.
class Turns::Rounds {
 public:
  Rounds(uv_loop_s* loop, std::function<bool()> turn)
      : loop_(loop),
        idle_(static_cast<uv_handle_s*>(::operator new(uv_handle_size(kUvIdle)))),
        turn_(std::move(turn)) {
    uv_idle_init(loop_, idle_);
    uv_handle_set_data(idle_, this);
  }
  ~Rounds() { ::operator delete(idle_); }
  Rounds(const Rounds&) = delete;
  Rounds& operator=(const Rounds&) = delete;

  void start() { uv_idle_start(idle_, on_round); }

  void close() {
    is_closed_ = true;
    uv_close(idle_, [](uv_handle_s* idle) { const std::unique_ptr<Rounds> freed(of(idle)); });
  }

 private:
  using Clock = std::chrono::steady_clock;

  static Rounds* of(uv_handle_s* idle) { return static_cast<Rounds*>(uv_handle_get_data(idle)); }
  static void on_round(uv_handle_s* idle) { of(idle)->take_turns(); }

  void take_turns() {
    uv_idle_stop(idle_);
    const Clock::time_point end = Clock::now() + kLongest;
    bool goes_on = true;
    do {
      goes_on = turn_();
      if (is_closed_ || !goes_on) return;
    } while (!loop_has_work() && Clock::now() < end);
    start();
  }

  // Timers that are due, handles to close, immediates; or a file descriptor that is ready, as that
  // of messages from other threads.
  bool loop_has_work() const {
    uv_update_time(loop_);
    if (uv_backend_timeout(loop_) == 0) return true;
    pollfd ready{uv_backend_fd(loop_), POLLIN, 0};
    return ::poll(&ready, 1, 0) != 0;
  }

  uv_loop_s* const loop_;
  uv_handle_s* const idle_;
  const std::function<bool()> turn_;
  bool is_closed_ = false;
};

Turns::Turns(napi_env env, std::function<bool()> turn)
    : rounds_(std::make_unique<Rounds>(loop_of(env), std::move(turn)).release()) {}

Turns::~Turns() {
  rounds_->close();
}

void Turns::start() {
  rounds_->start();
}

}  // namespace dpdk_vhost
