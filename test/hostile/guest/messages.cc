// Messages that a front-end may send at any time, while frames flow.

#include "scenarios.h"

namespace {

struct Traffic {
  Device& evil;
  Device& witness;
  Flow& there;
  Flow& back;
  Report& report;
  std::minstd_rand random;
  int log = -1;
  uint8_t* dirty = nullptr;

  static constexpr uint64_t kLog = 1 << 18;

  FrontEnd& peer() { return evil.front_end; }
  void pause() { usleep(static_cast<useconds_t>(random() % 100)); }

  // Other regions over the same memory: librte unmaps all and maps anew.
  void memory() {
    const uint64_t rings = evil.rx.buffers_at & ~4095ULL;
    evil.memory.slice(1 + static_cast<int>(random() % 8), rings);
    peer().set_memory(evil.memory, evil.memory.regions);
  }
  void addresses() {
    for (Queue* queue : {&evil.rx, &evil.tx}) {
      if (random() % 2 == 0) peer().send_state(SET_VRING_NUM, queue->index, queue->size);
      evil.set_addresses(*queue);
    }
  }
  void enable() {
    Queue& queue = random() % 2 == 0 ? evil.rx : evil.tx;
    peer().send_state(SET_VRING_ENABLE, queue.index, 0);
    if (random() % 2 == 0) {
      peer().sync();
      const uint16_t before = queue.used_index();
      for (int i = 0; i < 10; ++i) {
        there.pump(there.sent + 5);
        back.pump(back.sent + 5);
        pause();
      }
      if (queue.used_index() != before) fail("a ring was used while it was disabled");
    } else {
      pause();
    }
    peer().send_state(SET_VRING_ENABLE, queue.index, 1);
  }
  void make_log() {
    if (log >= 0) return;
    log = memfd_create("log", MFD_CLOEXEC);
    if (log < 0 || ftruncate(log, kLog) != 0) fail("no log");
    void* const at = mmap(nullptr, kLog, PROT_READ | PROT_WRITE, MAP_SHARED, log, 0);
    if (at == MAP_FAILED) fail("no log");
    dirty = static_cast<uint8_t*>(at);
  }
  void logging(bool on) {
    make_log();
    if (on) {
      const uint64_t payload[2] = {kLog, 0};
      peer().send(SET_LOG_BASE, payload, sizeof(payload), {log});
      peer().reply(SET_LOG_BASE);
    }
    peer().send_number(SET_FEATURES, evil.options.features() | (on ? bit(LOG_ALL) : 0));
    for (Queue* queue : {&evil.rx, &evil.tx}) {
      auto payload = evil.addresses(*queue);
      payload.flags = on ? 1 : 0;
      peer().send(SET_VRING_ADDR, &payload, sizeof(payload));
    }
  }
  bool is_dirty(uint64_t from, uint64_t length) {
    for (uint64_t page = from / 4096; page <= (from + length - 1) / 4096; ++page)
      if ((__atomic_load_n(&dirty[page / 8], __ATOMIC_RELAXED) >> (page % 8) & 1) == 0) return false;
    return true;
  }
  // All that is written while the log is on is in it.
  void logged(uint64_t frames) {
    exchange(there, back, 50);
    logging(true);
    peer().sync();
    std::memset(dirty, 0, kLog);
    back.on_frame = [&] {
      for (const uint64_t at : evil.received_at)
        if (!is_dirty(at, evil.options.header() + 60)) fail("a written page is not in the log");
      ++report["logged"];
    };
    exchange(there, back, frames);
    for (const Queue* queue : {&evil.rx, &evil.tx})
      if (!is_dirty(Memory::kGuest + queue->used_at, 4)) fail("a used ring is not in the log");
    back.on_frame = nullptr;
    logging(false);
    peer().sync();
  }
  void rarp() {
    const uint8_t mac[8] = {2, 0, 0, 9, 9, static_cast<uint8_t>(random()), 0, 0};
    const uint64_t before = report["rarps"];
    peer().send(SEND_RARP, mac, sizeof(mac));
    const bool busy = random() % 2 != 0;
    for (const uint64_t start = now_us(); report["rarps"] == before;) {
      there.pump(busy ? ~uint64_t{0} : there.sent);
      back.pump(busy ? ~uint64_t{0} : back.sent);
      if (now_us() - start > 1'000'000) fail(busy ? "no RARP under load" : "no RARP while idle");
    }
  }
  void base() {
    for (Queue* queue : {&evil.rx, &evil.tx}) {
      const uint32_t state[2] = {queue->index, 0};
      peer().send(GET_VRING_BASE, state, sizeof(state));
      const auto index = static_cast<uint16_t>(peer().reply(GET_VRING_BASE) >> 32);
      const uint16_t used = queue->used_index();
      if (index != used)
        fail("base " + std::to_string(index) + ", used " + std::to_string(used));
    }
    pause();
    for (Queue* queue : {&evil.rx, &evil.tx}) evil.start(*queue, queue->used_index());
  }
};

bool is_rarp(const std::vector<uint8_t>& frame) {
  return frame.size() >= 28 && frame[12] == 0x80 && frame[13] == 0x35;
}

void hang_ups(FrontEnd& a, FrontEnd& b, const Options& options, uint32_t seed, uint64_t end,
              Report& report) {
  Device witness(b, options, seed);
  witness.connect();
  witness.fill();
  std::minstd_rand random(seed);
  uint64_t stream = 100;
  while (now_us() < end || report["rounds"] < 10) {
    Device evil(a, options, seed);
    evil.connect();
    evil.fill();
    Flow there{evil, witness, ++stream, true};
    Flow back{witness, evil, ++stream, true};
    // Frames of the connection before may still come.
    const auto stop = now_us() + random() % 3000;
    std::vector<uint8_t> frame;
    while (now_us() < stop) {
      for (int i = 0; i < 16 && evil.send(stream, there.sent); ++i) ++there.sent;
      evil.tx.publish();
      evil.reap_sent();
      for (int i = 0; i < 16 && witness.send(stream, back.sent); ++i) ++back.sent;
      witness.tx.publish();
      witness.reap_sent();
      while (evil.receive(frame)) ++report["came"];
      while (witness.receive(frame)) ++report["went"];
      evil.fill();
      witness.fill();
    }
    a.hang_up();
    ++report["rounds"];
  }
}

}  // namespace

void messages(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
              Report& report) {
  const auto seed = static_cast<uint32_t>(number_of(given, "seed", 1));
  const std::string kind = given.at("kind");
  const uint64_t end = now_us() + number_of(given, "ms", 1000) * 1000;
  if (kind == "hang-up") return hang_ups(a, b, options, seed, end, report);

  Device evil(a, options, seed);
  Device witness(b, options, seed + 1);
  evil.connect();
  witness.connect();
  evil.fill();
  witness.fill();
  // A disabled or stopped ring takes nothing meanwhile.
  const bool stops = kind == "enable" || kind == "base" || kind == "all";
  Flow there{evil, witness, 1, false};
  Flow back{witness, evil, 2, stops};
  there.spare = 4;  // RARPs
  there.on_other = [&](const std::vector<uint8_t>& frame) {
    if (!is_rarp(frame)) fail("a frame that nobody sent");
    ++report["rarps"];
  };
  Traffic traffic{evil, witness, there, back, report, std::minstd_rand(seed)};
  bool log_on = false;
  uint64_t next = now_us();
  const auto disturb = [&] {
    if (now_us() < next) return;
    next = now_us() + traffic.random() % 300;
    ++report["messages"];
    const auto which = traffic.random() % 6;
    if (kind == "memory" || (kind == "all" && which == 0)) traffic.memory();
    if (kind == "addresses" || (kind == "all" && which == 1)) traffic.addresses();
    if (kind == "enable" || (kind == "all" && which == 2)) traffic.enable();
    if (kind == "log" || (kind == "all" && which == 3)) traffic.logging(log_on = !log_on);
    if (kind == "rarp" || (kind == "all" && which == 4)) traffic.rarp();
    if (kind == "base" || (kind == "all" && which == 5)) traffic.base();
  };
  while (now_us() < end || report["messages"] < 20 || there.received < 200) {
    exchange(there, back, 500, disturb);
    if (kind == "log" && !log_on) traffic.logged(200);
  }
  a.hang_up();
  report["there"] = there.received;
  report["back"] = back.received;
}
