// A guest whose device comes and goes as fast as can be; and one whose memory goes.

#include "scenarios.h"

namespace {

void flap(Device& evil, const std::string& kind, Report& report) {
  FrontEnd& peer = evil.front_end;
  for (Queue* queue : {&evil.rx, &evil.tx}) {
    if (kind == "enable") {
      peer.send_state(SET_VRING_ENABLE, queue->index, 0);
      peer.send_state(SET_VRING_ENABLE, queue->index, 1);
    } else {
      const uint32_t state[2] = {queue->index, 0};
      peer.send(GET_VRING_BASE, state, sizeof(state));
      peer.reply(GET_VRING_BASE);
    }
  }
  if (kind == "base")
    for (Queue* queue : {&evil.rx, &evil.tx}) evil.start(*queue, queue->used_index());
  ++report["flaps"];
}

}  // namespace

void flaps(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
           Report& report) {
  const uint64_t end = now_us() + number_of(given, "ms", 1000) * 1000;
  const std::string kind = given.at("kind");
  Device witness(b, options, 1);
  witness.connect();
  while (now_us() < end) {
    Device evil(a, options, 2);
    try {
      if (kind == "hang-up") {
        a.accept(100);
        ++report["flaps"];
        evil.handshake();
        a.hang_up();
      } else {
        evil.connect();
        while (now_us() < end) flap(evil, kind, report);
        return;
      }
    } catch (const HungUp&) {
      ++report["cut"];
      if (kind != "hang-up") return;
    } catch (const std::runtime_error&) {
      if (report["flaps"] < 2) throw;
      return;  // held down: nobody connects
    }
  }
}

// Takes back memory that the switch uses: rings, or the buffers of frames in flight.
void lost_memory(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                 Report& report) {
  const bool rings = number_of(given, "rings", 0) != 0;
  Device witness(b, options, 1);
  witness.connect();
  witness.fill();
  Device evil(a, options, 2);
  evil.connect();
  evil.fill();
  Flow there{evil, witness, 1, true};
  Flow back{witness, evil, 2, true};
  exchange(there, back, 200);
  // From now on it looks at its own memory no more: it would go with it.
  for (int i = 0; i < 64 && witness.send(2, back.sent); ++i) ++back.sent;
  evil.memory.shrink(rings ? 0 : evil.rx.buffers_at & ~4095ULL);
  witness.tx.publish();
  const uint64_t one = 1;
  (void)!write(evil.tx.kick, &one, sizeof(one));
  try {
    for (const uint64_t end = now_us() + 2'000'000; now_us() < end; usleep(1000)) {
      evil.front_end.sync();
      if (rings && now_us() % 50'000 < 1000)
        evil.front_end.set_memory(evil.memory, evil.memory.regions);
    }
  } catch (const HungUp&) {
    report["cut"] = 1;
  }
}
