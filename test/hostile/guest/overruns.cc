// Rings that say that they hold more than they are long: librte has an array of that length for what it has used.

#include <algorithm>

#include "scenarios.h"

namespace {

constexpr uint16_t kFar = 4096;

// Of the buffers for frames only two have any bytes, so that a frame takes half of the ring.
void write_rings(Device& evil) {
  for (Queue* queue : {&evil.rx, &evil.tx}) {
    const bool is_rx = queue->index == 0;
    for (uint16_t id = 0; id < queue->size; ++id) {
      const uint32_t half = std::max(queue->size / 2, 1U);
      const bool is_empty = is_rx && id % half != half - 1;
      const uint32_t length = is_empty ? 0 : evil.options.header() + evil.options.max;
      queue->descriptors()[id] = {queue->guest(id), length,
                                  static_cast<uint16_t>(is_rx ? WRITE : 0), 0};
      queue->available()[2 + id] = id;
    }
    const auto index = static_cast<uint16_t>(queue->used_index() + kFar);
    __atomic_store_n(&queue->available()[1], index, __ATOMIC_RELEASE);
    const uint64_t one = 1;
    (void)!write(queue->kick, &one, sizeof(one));
  }
}

// librte frees what it has noted in, and what lies behind.
void restart(Device& evil) {
  for (Queue* queue : {&evil.rx, &evil.tx}) {
    const uint32_t state[2] = {queue->index, 0};
    evil.front_end.send(GET_VRING_BASE, state, sizeof(state));
    evil.front_end.reply(GET_VRING_BASE);
    evil.start(*queue, queue->used_index());
  }
  evil.front_end.sync();
}

}  // namespace

void overruns(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
              Report& report) {
  Device witness(b, options, 1);
  witness.connect();
  witness.fill();
  uint64_t number = 0;
  for (uint64_t round = 0; round < number_of(given, "rounds", 40); ++round) {
    Options small = options;
    small.size = 1U << round % 7;
    Device evil(a, small, 2);
    evil.connect();
    for (int time = 0; time < 4; ++time) {
      write_rings(evil);
      std::vector<uint8_t> frame;
      const uint64_t end = now_us() + 3000;
      while (now_us() < end) {
        for (int i = 0; i < 40 && witness.send(2, number); ++i) ++number;
        witness.tx.publish();
        witness.reap_sent();
        while (witness.receive(frame)) ++report["came"];
        witness.fill();
      }
      restart(evil);
    }
    a.hang_up();
    ++report["rounds"];
  }
}
