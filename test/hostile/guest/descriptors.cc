// Rings that no driver writes.

#include <atomic>
#include <thread>

#include "scenarios.h"

namespace {

constexpr uint64_t kNowhere = 0x6666'0000'0000;

struct Attack {
  const char* name;
  // Writes what a ring's next available entry leads to; `id` is the descriptor for it.
  void (*write)(Device& device, Queue& queue, uint16_t id);
  // Whether nothing may come of it: no frame for the other side.
  bool silent;
};

// A descriptor of the direction that is right for the ring.
Descriptor right(Device& device, Queue& queue, uint16_t id) {
  const uint32_t length = device.options.header() + 300;
  return {queue.guest(id), length, static_cast<uint16_t>(queue.index == 0 ? WRITE : 0), 0};
}
void put(Queue& queue, uint16_t id, const Descriptor& descriptor) {
  queue.descriptors()[id] = descriptor;
  queue.make_available(id);
}
template <typename Change>
void put_changed(Device& device, Queue& queue, uint16_t id, Change change) {
  Descriptor descriptor = right(device, queue, id);
  change(descriptor);
  put(queue, id, descriptor);
}

uint64_t end_of_memory(Device& device) {
  return Memory::kGuest + device.memory.size();
}

const Attack kAttacks[] = {
    {"an id beyond the ring",
     [](Device&, Queue& queue, uint16_t) { queue.make_available(queue.size); }, true},
    {"the id 65535", [](Device&, Queue& queue, uint16_t) { queue.make_available(65535); }, true},
    {"an address outside memory",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [](Descriptor& x) { x.address = kNowhere; });
     },
     true},
    {"address 0",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [](Descriptor& x) { x.address = 0; });
     },
     true},
    {"an address just below memory",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [](Descriptor& x) { x.address = Memory::kGuest - 100; });
     },
     true},
    {"beyond the end of memory",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [&](Descriptor& x) { x.address = end_of_memory(d) - 100; });
     },
     true},
    {"far beyond the end of memory",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [&](Descriptor& x) {
         x.address = end_of_memory(d) - 16;
         x.length = 1 << 28;
       });
     },
     true},
    {"past 2^64",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [](Descriptor& x) { x.address = ~uint64_t{0} - 99; });
     },
     true},
    {"length 0",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [](Descriptor& x) { x.length = 0; });
     },
     true},
    {"length 1",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [](Descriptor& x) { x.length = 1; });
     },
     true},
    {"one byte less than a header",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [&](Descriptor& x) { x.length = d.options.header() - 1; });
     },
     true},
    {"just a header",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [&](Descriptor& x) { x.length = d.options.header(); });
     },
     true},
    {"length 0xffffffff",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [](Descriptor& x) { x.length = 0xffffffff; });
     },
     true},
    {"longer than any buffer of the switch",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [&](Descriptor& x) {
         x.address = q.guest(0);
         x.length = 60'000;
       });
     },
     true},
    {"the other direction",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [](Descriptor& x) { x.flags ^= WRITE; });
     },
     false},
    {"all flags",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [](Descriptor& x) { x.flags = 0xffff; });
     },
     false},
    {"next is itself",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [&](Descriptor& x) {
         x.flags |= NEXT;
         x.next = id;
       });
     },
     true},
    {"next is beyond the ring",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [](Descriptor& x) {
         x.flags |= NEXT;
         x.next = 40'000;
       });
     },
     true},
    {"an indirect table outside memory",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [](Descriptor& x) { x = {kNowhere, 64, INDIRECT, 0}; });
     },
     true},
    {"an indirect table of half a descriptor",
     [](Device& d, Queue& q, uint16_t id) {
       put_changed(d, q, id, [&](Descriptor& x) { x = {q.guest(id), 8, INDIRECT, 0}; });
     },
     true},
    {"an available index that jumps",
     [](Device&, Queue& q, uint16_t) {
       q.next_available = static_cast<uint16_t>(q.next_available + q.size + 5);
     },
     false},
    {"an available index that goes back",
     [](Device&, Queue& q, uint16_t) {
       q.next_available = static_cast<uint16_t>(q.next_available - 7);
     },
     false},
    {"a used index of the guest's making",
     [](Device&, Queue& q, uint16_t) { q.used()[1] = static_cast<uint16_t>(q.used()[1] + 1000); },
     false},
};

constexpr uint64_t kBeforeFirst = 10;

// Of an attack before this one (each has two streams, there and back): it was on its way for longer
// than it was quiet here.
bool is_late(uint64_t stream, uint64_t now) {
  return stream > kBeforeFirst && stream < now && (now - stream) % 2 == 0;
}

// What device b gets until it is quiet: frames of `flow` in order, or anything.
uint64_t drain(Device& device, Flow* flow) {
  uint64_t others = 0;
  std::vector<uint8_t> frame;
  for (uint64_t last = now_us(); now_us() - last < 3000;) {
    device.fill();
    while (device.receive(frame)) {
      last = now_us();
      uint64_t stream = 0;
      if (frame.size() >= 30) std::memcpy(&stream, frame.data() + 14, 8);
      if (flow != nullptr && stream == flow->stream) flow->check(frame);
      else if (flow == nullptr || !is_late(stream, flow->stream)) ++others;
    }
    usleep(50);
  }
  return others;
}

}  // namespace

void descriptors(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                 Report& report) {
  Options watch;
  Device witness(b, watch, 1);
  witness.connect();
  witness.fill();
  uint64_t stream = kBeforeFirst;
  const uint64_t only = number_of(given, "only", ~uint64_t{0});
  for (size_t n = 0; n < std::size(kAttacks); ++n) {
    if (only != ~uint64_t{0} && only != n) continue;
    const Attack& attack = kAttacks[n];
    for (const bool receives : {false, true}) {
      Device evil(a, options, 2);
      evil.connect();
      Queue& queue = receives ? evil.rx : evil.tx;
      // Looks like no frame of a stream, wherever it is read from.
      std::memset(evil.memory.host(queue.buffers_at), 0x5a, 64 * queue.stride);
      const uint16_t id = queue.reserve();
      Flow there{evil, witness, ++stream, true};
      Flow back{witness, evil, ++stream, true};
      if (!receives)
        while (there.sent < 3 && evil.send(there.stream, there.sent)) ++there.sent;
      attack.write(evil, queue, id);
      if (!receives)
        while (there.sent < 6 && evil.send(there.stream, there.sent)) ++there.sent;
      queue.publish();
      if (receives) {
        for (int i = 0; i < 5; ++i) witness.send(back.stream, back.sent++);
        witness.tx.publish();
      }
      uint64_t others = 0;
      const bool comes = !receives && std::string(attack.name).find("index") == std::string::npos;
      const uint64_t start = now_us();
      do others += drain(witness, &there);
      while (comes && there.received < 3 && now_us() - start < 2'000'000);
      if (comes && there.received < 3)
        fail(std::string("the frames before ") + attack.name + " did not come");
      if (attack.silent && others != 0)
        fail(std::string(attack.name) + ": " + std::to_string(others) + " frames came of it");
      witness.reap_sent();
      ++report["attacks"];
      a.hang_up();
    }
  }
}

// A second thread writes to the rings while frames flow: what was checked may not be what is used.
void scribble(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
              Report& report) {
  const auto seed = static_cast<uint32_t>(number_of(given, "seed", 1));
  const uint64_t end = now_us() + number_of(given, "ms", 1500) * 1000;
  Options watch;
  Device witness(b, watch, seed);
  witness.connect();
  witness.fill();
  std::minstd_rand random(seed + 2);
  while (now_us() < end || report["rounds"] < 2) {
    Device evil(a, options, seed);
    evil.connect();
    const uint64_t round_end = now_us() + 150'000;
    std::atomic<bool> stop{false};
    std::thread writer([&, mine = random()] {
      std::minstd_rand r(static_cast<uint32_t>(mine));
      const uint64_t memory_end = end_of_memory(evil);
      const auto wild = [&]() -> uint64_t {
        switch (r() % 5) {
          case 0:
            return kNowhere + r();
          case 1:
            return memory_end - r() % 4096;
          case 2:
            return ~uint64_t{0} - r() % 4096;
          case 3:
            return r();
          default:
            return Memory::kGuest + r() % evil.memory.size();
        }
      };
      while (!stop.load(std::memory_order_relaxed)) {
        Queue& queue = r() % 2 != 0 ? evil.rx : evil.tx;
        const auto id = static_cast<uint16_t>(r() % queue.size);
        volatile Descriptor& d = queue.descriptors()[id];
        switch (r() % 16) {
          case 0:
            queue.available()[2 + id] = static_cast<uint16_t>(r());
            break;
          case 1:
            queue.available()[2 + id] = static_cast<uint16_t>(r() % queue.size);
            break;
          case 2:
            if (r() % 64 == 0) queue.available()[1] = static_cast<uint16_t>(r());
            break;
          case 3:
            queue.used()[1] = static_cast<uint16_t>(r());
            break;
          case 4:  // any byte of the rings and tables
            *evil.memory.host(r() % evil.rx.buffers_at) = static_cast<uint8_t>(r());
            break;
          case 5:
            d.next = static_cast<uint16_t>(r());
            break;
          case 6:
            d.flags = static_cast<uint16_t>(r() % 8);
            break;
          default:  // there and back, as often as can be
            for (int i = 0; i < 20; ++i) {
              d.address = wild();
              d.length = r() % 4 == 0 ? static_cast<uint32_t>(r()) : 2000;
              d.address = queue.guest(id);
              d.length = 400;
              d.flags = queue.index == 0 ? WRITE : 0;
            }
        }
      }
    });
    const auto advance = [&](Queue& queue) {
      auto* const index = &queue.available()[1];
      __atomic_store_n(index, static_cast<uint16_t>(*index + 1 + random() % 32), __ATOMIC_RELEASE);
    };
    uint64_t number = 0;
    std::vector<uint8_t> frame;
    while (now_us() < round_end) {
      advance(evil.tx);
      advance(evil.rx);
      witness.reap_sent();
      for (int i = 0; i < 32 && witness.send(3, number); ++i) ++number;
      witness.tx.publish();
      while (witness.receive(frame)) ++report["came"];
      witness.fill();
    }
    stop = true;
    writer.join();
    a.hang_up();
    ++report["rounds"];
  }
  drain(witness, nullptr);
}
