// Rings that say that they hold more than they are long: librte has an array of that length for
// what it has used.

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

// A ring of which all is one chain: librte goes round it once for each of the buffers that a frame
// takes.
void write_packed(Device& evil, uint32_t bytes) {
  Queue& queue = evil.rx;
  for (uint16_t id = queue.size; id-- > 0;) {
    const bool last = id + 1U == queue.size;
    volatile Descriptor& at = queue.descriptors()[id];
    at.address = queue.guest(0);
    at.length = id == 0 ? bytes : 0;
    at.flags = id;
    std::atomic_thread_fence(std::memory_order_release);
    at.next = static_cast<uint16_t>(WRITE | PACKED_AVAILABLE | (last ? 0 : NEXT));
  }
}

// librte frees what it has noted in, and what lies behind.
void stop(Device& evil) {
  for (Queue* queue : {&evil.rx, &evil.tx}) {
    const uint32_t state[2] = {queue->index, 0};
    evil.front_end.send(GET_VRING_BASE, state, sizeof(state));
    evil.front_end.reply(GET_VRING_BASE);
  }
}

void start(Device& evil) {
  for (Queue* queue : {&evil.rx, &evil.tx})
    evil.start(*queue, evil.options.packed ? PACKED_BASE : queue->used_index());
  evil.front_end.sync();
}

void restart(Device& evil) {
  stop(evil);
  start(evil);
}

bool send_bytes(Device& device, uint32_t bytes) {
  if (device.tx.free.empty()) return false;
  const uint32_t header = device.options.header();
  const uint32_t all = header + bytes;
  uint8_t* const at = device.tx.buffer(device.tx.free.back());
  std::memset(at, 0, header);
  std::memset(at + header, 0x5a, bytes);
  return device.tx.add({all}, false) >= 0;
}

}  // namespace

// Of a frame librte counts the descriptors in 16 bits. 64 times round a ring of 1,024 is 0 then:
// what it notes is never written to the ring, and more and more. Three times round it goes on
// behind the ring.
void packed_overruns(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                     Report& report) {
  constexpr uint32_t kFrame = 1460;
  const uint32_t buffers[] = {64, 3};
  Device witness(b, options, 1);
  witness.connect();
  witness.fill();
  for (uint64_t round = 0; round < number_of(given, "rounds", 8); ++round) {
    Options wild = options;
    wild.packed = true;
    wild.size = 1024;
    Device evil(a, wild, 2);
    evil.connect();
    const uint32_t header = evil.options.header();
    const uint32_t parts = buffers[round % std::size(buffers)];
    for (int time = 0; time < 4; ++time) {
      const uint64_t begin = now_us();
      // For a moment, and until a frame came.
      for (bool came = false; !came || now_us() < begin + 5000;) {
        if (now_us() > begin + 5'000'000) fail("no frame came to a packed ring");
        write_packed(evil, (kFrame + header + parts - 1) / parts);
        for (int i = 0; i < 32 && send_bytes(witness, kFrame); ++i) ++report["sent"];
        witness.tx.publish();
        witness.reap_sent();
        const volatile Descriptor& first = evil.rx.descriptors()[0];
        for (int i = 0; i < 100 && (first.next & PACKED_USED) == 0; ++i) usleep(1);
        came = came || (first.next & PACKED_USED) != 0;
      }
      restart(evil);
    }
    a.hang_up();
    ++report["rounds"];
  }
}

// A RARP that is due when a packed ring has frames and the switch room for one: librte then took one
// for none, and freed what it did not have.
void packed_rarps(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments& given,
                  Report& report) {
  Device witness(b, options, 1);
  witness.connect();
  witness.fill();
  Options packed = options;
  packed.packed = true;
  Device evil(a, packed, 2);
  evil.connect();
  const uint8_t mac[8] = {2, 0, 0, 0, 0, 0x77};
  for (uint64_t round = 0; round < number_of(given, "rounds", 8); ++round) {
    stop(evil);
    Queue& queue = evil.tx;
    for (uint16_t id = 0; id < queue.size; ++id) {
      volatile Descriptor& at = queue.descriptors()[id];
      at.address = queue.guest(id);
      at.length = packed.header() + 60;
      at.flags = id;
      at.next = id < 16 ? PACKED_AVAILABLE : 0;
    }
    a.send(SEND_RARP, mac, sizeof(mac));
    start(evil);
    std::vector<uint8_t> frame;
    for (const uint64_t begin = now_us();;) {
      if (now_us() > begin + 10'000'000) fail("no RARP came");
      witness.fill();
      if (!witness.receive(frame)) {
        usleep(10);
      } else if (frame.size() >= 28 && frame[12] == 0x80 && frame[13] == 0x35) {
        break;
      }
    }
    ++report["rarps"];
  }
  a.hang_up();
}

// A chain whose header is in three descriptors, the second of them the last bytes of a region:
// librte writes the frame behind it. Of the file that all regions are in, what is mapped there is
// likely to be the begin.
void behind_memory(FrontEnd& a, FrontEnd& b, const Options& options, const Arguments&,
                   Report& report) {
  Options sliced = options;
  sliced.slices = 4;
  Device witness(b, options, 1);
  witness.connect();
  witness.fill();
  Device evil(a, sliced, 2);
  evil.connect();
  for (size_t i = 0; i + 1 < evil.memory.regions.size(); ++i) {
    const Region& region = evil.memory.regions[i];
    Queue& rx = evil.rx;
    const auto before = rx.used_index();
    rx.descriptors()[0] = {rx.guest(5), 4, WRITE | NEXT, 1};
    rx.descriptors()[1] = {region.guest + region.size - 4, 4, WRITE | NEXT, 2};
    rx.descriptors()[2] = {rx.guest(8), options.header() + options.max, WRITE, 0};
    const auto* const begin = reinterpret_cast<const uint8_t*>(rx.descriptors());
    const std::vector<uint8_t> expected(begin, begin + 16 * size_t{rx.size});
    rx.available()[2 + rx.next_available % rx.size] = 0;
    ++rx.next_available;
    rx.publish();
    if (!send_bytes(witness, 1000)) fail("nothing can be sent");
    witness.tx.publish();
    const uint64_t end = now_us() + 5'000'000;
    while (rx.used_index() == before) {
      if (now_us() > end) fail("no frame came");
      usleep(100);
    }
    if (std::memcmp(begin, expected.data(), expected.size()) != 0) ++report["changed"];
    ++report["frames"];
  }
}

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
