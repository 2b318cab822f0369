// Messages that no front-end sends: whatever the answer, the switch lives.

#include "scenarios.h"

namespace {

// Goes on as if nothing had been, until the switch hangs up or a moment has passed.
void go_on(Device& evil, Device& witness) {
  try {
    std::vector<uint8_t> frame;
    uint64_t number = 0;
    const uint64_t end = now_us() + 5000;
    while (now_us() < end) {
      for (int i = 0; i < 8 && evil.send(1, number); ++i) ++number;
      evil.tx.publish();
      for (Used entry; evil.tx.take_used(entry);)
        if (entry.id < evil.tx.size && !evil.tx.chains[entry.id].empty()) evil.tx.release(entry.id);
      for (int i = 0; i < 8 && witness.send(2, number); ++i) ++number;
      witness.tx.publish();
      witness.reap_sent();
      while (witness.receive(frame)) {
      }
      witness.fill();
      usleep(20);
    }
    evil.front_end.sync();
    evil.front_end.sync();
  } catch (const HungUp&) {
  }
}

struct Misuse {
  const char* name;
  // Returns whether the switch took it.
  bool (*play)(Device& evil);
  bool must_refuse;
};

bool set_number(Device& evil, uint32_t index, uint32_t size) {
  const uint32_t state[2] = {index, size};
  return evil.front_end.asks(SET_VRING_NUM, state, sizeof(state));
}
bool set_addresses(Device& evil, const Device::Addresses& payload) {
  return evil.front_end.asks(SET_VRING_ADDR, &payload, sizeof(payload));
}
bool set_table(Device& evil, const std::vector<Region>& regions, int fd) {
  const auto payload = FrontEnd::table(regions);
  return evil.front_end.asks(SET_MEM_TABLE, payload.data(), static_cast<uint32_t>(payload.size()),
                             std::vector<int>(regions.size(), fd));
}
uint64_t last_page(Device& evil) {
  return evil.memory.regions.back().user + evil.memory.regions.back().size;
}
// Stops one ring, so that the device is at rest, and wants other features for the one that is left.
bool set_features(Device& evil, uint64_t changed) {
  const uint32_t state[2] = {0, 0};
  evil.front_end.send(GET_VRING_BASE, state, sizeof(state));
  evil.front_end.reply(GET_VRING_BASE);
  const uint64_t features = evil.options.features() ^ changed;
  const bool taken = evil.front_end.asks(SET_FEATURES, &features, sizeof(features));
  evil.start(evil.rx, evil.rx.used_index());
  return taken;
}

// Has both rings called by `fd`, each time.
bool set_calls(Device& evil, int fd) {
  bool taken = true;
  for (Queue* queue : {&evil.rx, &evil.tx}) {
    const uint64_t index = queue->index;
    taken = evil.front_end.asks(SET_VRING_CALL, &index, sizeof(index), {fd}) && taken;
    queue->want_calls(true);
  }
  close(fd);
  return taken;
}
int full_eventfd() {
  const int fd = eventfd(0, EFD_CLOEXEC);
  const uint64_t most = ~uint64_t{0} - 1;
  (void)!write(fd, &most, sizeof(most));
  return fd;
}
// Nobody reads what is written to it.
int stream() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("no socket pair");
  return ends[0];
}

const Misuse kMisuses[] = {
    {"calls that an eventfd cannot count any more",
     [](Device& d) { return set_calls(d, full_eventfd()); }, false},
    {"calls to what is no eventfd", [](Device& d) { return set_calls(d, stream()); }, true},
    {"a longer ring while it runs", [](Device& d) { return set_number(d, 1, 32768); }, true},
    {"a longer rx ring while it runs", [](Device& d) { return set_number(d, 0, 32768); }, true},
    {"a ring of 0 while it runs", [](Device& d) { return set_number(d, 1, 0); }, true},
    {"a ring of 3", [](Device& d) { return set_number(d, 0, 3); }, true},
    {"odd addresses",
     [](Device& d) {
       auto to = d.addresses(d.tx);
       ++to.descriptors, ++to.available, ++to.used;
       return set_addresses(d, to);
     },
     false},
    {"addresses outside memory",
     [](Device& d) {
       auto to = d.addresses(d.rx);
       to.descriptors = to.available = to.used = 0x1234'5678'0000;
       return set_addresses(d, to);
     },
     false},
    {"rings over the end of memory",
     [](Device& d) {
       auto to = d.addresses(d.tx);
       to.descriptors = to.available = to.used = last_page(d) - 64;
       return set_addresses(d, to);
     },
     false},
    {"rings that are each other",
     [](Device& d) {
       auto to = d.addresses(d.tx);
       to.used = to.descriptors;
       to.available = to.descriptors;
       return set_addresses(d, to);
     },
     false},
    {"memory that cannot be mapped",
     [](Device& d) { return set_table(d, {{Memory::kGuest, 4096, Memory::kUser, 0}}, d.tx.kick); },
     false},
    {"memory of no size",
     [](Device& d) { return set_table(d, {{Memory::kGuest, 0, Memory::kUser, 0}}, d.memory.fd()); },
     false},
    {"memory without the rings",
     [](Device& d) {
       return set_table(d, {{Memory::kGuest, 4096, 0x4000'0000, 0}}, d.memory.fd());
     },
     false},
    {"memory whose end is past 2^64",
     [](Device& d) {
       return set_table(d, {{~uint64_t{0} - 4095, 8192, Memory::kUser, 0}}, d.memory.fd());
     },
     false},
    {"no memory", [](Device& d) { return set_table(d, {}, -1); }, false},
    {"other layout for a ring that is mapped",
     [](Device& d) { return set_features(d, bit(34)); }, true},
    {"event index for a ring that is mapped",
     [](Device& d) { return set_features(d, bit(EVENT_IDX)); }, true},
};

}  // namespace

void refused(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
             Report& report) {
  Options in_pieces = options;
  in_pieces.slices = 8;
  const uint64_t only = number_of(given, "only", ~uint64_t{0});
  Device witness(b, options, 1);
  witness.connect();
  witness.fill();
  for (size_t n = 0; n < std::size(kMisuses); ++n) {
    if (only != ~uint64_t{0} && only != n) continue;
    const Misuse& misuse = kMisuses[n];
    Device evil(a, in_pieces, 2);
    evil.connect();
    evil.fill();
    bool taken = false;
    try {
      taken = misuse.play(evil);
    } catch (const HungUp&) {
    }
    go_on(evil, witness);
    a.hang_up();
    if (taken && misuse.must_refuse) fail(std::string(misuse.name) + " is not refused");
    report[taken ? "taken" : "refused"] += 1;
  }
}
