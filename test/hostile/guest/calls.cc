// Descriptors that a peer hands over to harm with them.

#include <fcntl.h>

#include <atomic>
#include <thread>

#include "scenarios.h"

// Eventfds for calls that wait, and are full, again and again: who calls waits for ever. Until the
// switch hangs up.
void blocked_calls(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments&,
                   Report& report) {
  Options called = options;
  called.calls = Calls::always;
  Device witness(b, options, 1);
  witness.connect();
  Device evil(a, called, 2);
  evil.connect();
  evil.fill();
  std::atomic<bool> is_over{false};
  std::thread filler([&] {
    while (!is_over) {
      for (Queue* queue : {&evil.rx, &evil.tx}) {
        // While it does not wait for us.
        fcntl(queue->call, F_SETFL, O_NONBLOCK);
        queue->take_calls();
        const uint64_t most = ~uint64_t{0} - 1;
        (void)!write(queue->call, &most, sizeof(most));
        fcntl(queue->call, F_SETFL, 0);
      }
      usleep(100);
    }
  });
  struct Join {
    std::atomic<bool>& is_over;
    std::thread& thread;
    ~Join() {
      is_over = true;
      thread.join();
    }
  } join{is_over, filler};
  const uint64_t end = now_us() + 10'000'000;
  try {
    for (uint64_t number = 0; now_us() < end; ++number) {
      evil.send(1, number);
      evil.tx.publish();
      evil.reap_sent();
      witness.send(2, number);
      witness.tx.publish();
      witness.reap_sent();
      evil.front_end.drop_answers();
      usleep(1000);
    }
  } catch (const HungUp&) {
    ++report["cut"];
  }
}

// Messages that librte refuses too late to close their descriptors, or does not refuse at all.
void leaked_descriptors(FrontEnd& a, FrontEnd&, const Options&, const Arguments& given,
                        Report& report) {
  struct {
    uint32_t request, index;
    uint64_t rings;
    uint32_t size, fds;
  } const messages[] = {
      // Of rings that cannot be.
      {SET_VRING_NUM, 256, 0, 24, 8},
      {SET_VRING_BASE, 1000, 0, 24, 8},
      {GET_VRING_BASE, ~0U, 0, 24, 8},
      {SET_VRING_ADDR, 1 << 16, 0, 40, 8},
      {SET_VRING_ENABLE, 4096, 0, 24, 8},
      {SET_INFLIGHT_FD, 1, 0, 24, 8},
      {SET_INFLIGHT_FD, 1, 300, 24, 8},
      // Of what was never offered.
      {SET_INFLIGHT_FD, 1, 2, 8, 1},
      {SET_INFLIGHT_FD, 1, 2, 24, 1},
      {GET_INFLIGHT_FD, 1, 2, 24, 1},
      {POSTCOPY_ADVISE, 0, 0, 0, 1},
      {POSTCOPY_ADVISE, 0, 0, 0, 0},
      {POSTCOPY_LISTEN, 0, 0, 0, 0},
      {POSTCOPY_END, 0, 0, 0, 0},
  };
  const int fd = eventfd(0, EFD_CLOEXEC);
  for (uint64_t round = 0; round < number_of(given, "rounds", 3); ++round) {
    for (const auto& one : messages) {
      a.accept();
      std::vector<uint8_t> payload(40);
      std::memcpy(payload.data(), &one.index, 4);
      std::memcpy(payload.data() + 16, &one.rings, 8);
      a.send(one.request, payload.data(), one.size, std::vector<int>(one.fds, fd));
      try {
        a.sync();
        fail("message " + std::to_string(one.request) + " is not refused");
      } catch (const HungUp&) {
        ++report["refused"];
      }
    }
  }
  close(fd);
}
