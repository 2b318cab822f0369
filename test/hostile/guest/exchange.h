#pragma once

// Numbered frames from one device to another through the switch, both ways at once.

#include <chrono>
#include <functional>

#include "device.h"

inline uint64_t now_us() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

// One direction.
struct Flow {
  Device& from;
  Device& to;
  uint64_t stream;
  bool lossy = false;  // frames may be missing, but none may be changed or out of order
  uint32_t spare = 0;  // buffers left for frames of others
  uint64_t sent = 0, next = 0, received = 0;
  uint64_t settled = 0;  // all before came, or never will
  uint64_t quiet_since = 0;

  uint64_t in_flight() const { return sent - std::max(next, settled); }
  bool done(uint64_t all) const { return std::max(next, settled) >= all; }
  // What does not come in 50 ms is lost, where frames may be.
  void settle() {
    if (in_flight() == 0) quiet_since = now_us();
    if (lossy && now_us() - quiet_since > 50'000) settled = sent;
  }

  // Returns whether anything was done.
  bool pump(uint64_t until) {
    bool busy = false;
    std::vector<uint8_t> frame;
    from.reap_sent();
    while (to.receive(frame)) {
      check(frame);
      busy = true;
    }
    to.fill();
    uint32_t burst = 1 + from.random() % 64;
    bool any = false;
    while (sent < until && burst-- > 0 && in_flight() + spare < to.room() && from.send(stream, sent)) {
      ++sent;
      any = true;
    }
    if (any) from.tx.publish();
    return busy || any;
  }

  // Takes what comes without sending; returns how many frames were not ours.
  void check(const std::vector<uint8_t>& frame) {
    if (on_other && (frame.size() < 30 || (frame[12] << 8 | frame[13]) != 0x88b5)) {
      on_other(frame);
      return;
    }
    std::vector<uint8_t> expected(2048);
    uint64_t number = next;
    if (lossy && frame.size() >= 30) {
      std::memcpy(&number, frame.data() + 22, 8);
      if (number < next || number >= sent)
        fail("frame " + std::to_string(number) + " when " + std::to_string(next) + " was next");
    }
    expected.resize(make_frame(stream, number, from.options.max, expected.data()));
    if (frame != expected) {
      uint64_t got[2] = {0, 0};
      if (frame.size() >= 30) std::memcpy(got, frame.data() + 14, 16);
      fail("stream " + std::to_string(stream) + ": instead of frame " + std::to_string(number) +
           " of " + std::to_string(expected.size()) + " bytes came " +
           std::to_string(frame.size()) + " bytes, stream " + std::to_string(got[0]) + " frame " +
           std::to_string(got[1]));
    }
    next = number + 1;
    quiet_since = now_us();
    ++received;
    if (on_frame) on_frame();
  }

  std::function<void(const std::vector<uint8_t>&)> on_other{};
  std::function<void()> on_frame{};
};

// Waits for a call on any of the rings that have none to give yet.
inline void wait_for_call(std::initializer_list<Queue*> queues) {
  std::vector<pollfd> wait;
  for (Queue* queue : queues) {
    queue->want_calls(true);
    wait.push_back({queue->call, POLLIN, 0});
  }
  bool any = false;
  for (Queue* queue : queues) any = any || queue->has_used();
  if (!any && ::poll(wait.data(), wait.size(), 2000) == 0) {
    for (Queue* queue : queues)
      if (queue->has_used()) fail("no call for ring " + std::to_string(queue->index));
    fail("no frame and no call in 2 s");
  }
  for (Queue* queue : queues) queue->take_calls();
}

// Sends `frames` each way; all must arrive. `meanwhile` is called once a round.
inline void exchange(Flow& there, Flow& back, uint64_t frames,
                     const std::function<void()>& meanwhile = {}) {
  const uint64_t until[2] = {there.sent + frames, back.sent + frames};
  uint64_t last = now_us();
  while (!there.done(until[0]) || !back.done(until[1])) {
    const bool busy = static_cast<int>(there.pump(until[0])) | static_cast<int>(back.pump(until[1]));
    there.settle();
    back.settle();
    if (meanwhile) meanwhile();
    if (busy) {
      last = now_us();
      continue;
    }
    if (now_us() - last > 3'000'000) {
      fail("stuck: " + std::to_string(there.next) + " of " + std::to_string(until[0]) + " and " +
           std::to_string(back.next) + " of " + std::to_string(until[1]) + " frames arrived");
    }
    if (there.from.options.calls == Calls::always) {
      wait_for_call({&there.from.rx, &there.to.rx});
    } else {
      usleep(20);
    }
  }
  there.from.reap_sent();
  back.from.reap_sent();
}
