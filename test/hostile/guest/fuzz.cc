// Cases made up from a number each: what a peer may say on its socket, and write to its rings. Other ports go on meanwhile,
// byte for byte.

#include <fcntl.h>

#include <algorithm>

#include "scenarios.h"

namespace {

struct Random {
  std::mt19937 engine;
  uint64_t operator()() { return uint64_t{engine()} << 32 | engine(); }
  uint64_t below(uint64_t n) { return (*this)() % n; }
  bool one_in(uint64_t n) { return below(n) == 0; }
};

// Numbers that are at some end.
uint64_t odd_number(Random& r) {
  switch (r.below(8)) {
    case 0:
      return 0;
    case 1:
      return r.below(4);
    case 2:
      return ~uint64_t{0} - r.below(5000);
    case 3:
      return (uint64_t{1} << r.below(64)) - r.below(3);
    case 4:
      return 0xffffffff - r.below(3);
    case 5:
      return Memory::kGuest + r.below(1 << 22);
    case 6:
      return Memory::kUser + r.below(1 << 22);
    default:
      return r();
  }
}

// --- the socket ---

struct Said {
  uint32_t request = 0, flags = 1;
  uint32_t size = 0;  // what the header says
  std::vector<uint8_t> payload;
  std::vector<int> fds;
};

template <typename T>
Said said(uint32_t request, const T& payload, std::vector<int> fds = {}) {
  Said message{request, 1, sizeof(payload), std::vector<uint8_t>(sizeof(payload)), std::move(fds)};
  std::memcpy(message.payload.data(), &payload, sizeof(payload));
  return message;
}

// What an honest front-end says, as Device::handshake does.
std::vector<Said> handshake(Device& device, uint64_t features) {
  std::vector<Said> all{{GET_FEATURES, 1, 0, {}, {}},
                        {GET_PROTOCOL_FEATURES, 1, 0, {}, {}},
                        said(SET_PROTOCOL_FEATURES, WANTED_PROTOCOL),
                        {SET_OWNER, 1, 0, {}, {}},
                        said(SET_FEATURES, features)};
  const auto table = FrontEnd::table(device.memory.regions);
  all.push_back({SET_MEM_TABLE, 1, static_cast<uint32_t>(table.size()), table,
                 std::vector<int>(device.memory.regions.size(), device.memory.fd())});
  for (Queue* queue : {&device.rx, &device.tx}) {
    struct {
      uint32_t index, number;
    } size{queue->index, queue->size},
        base{queue->index, (features & bit(RING_PACKED)) != 0 ? PACKED_BASE : 0};
    all.push_back(said(SET_VRING_NUM, size));
    all.push_back(said(SET_VRING_BASE, base));
    all.push_back(said(SET_VRING_ADDR, device.addresses(*queue)));
    all.push_back(said(SET_VRING_CALL, uint64_t{queue->index}, {queue->call}));
    all.push_back(said(SET_VRING_KICK, uint64_t{queue->index}, {queue->kick}));
  }
  for (uint32_t index : {0U, 1U}) {
    struct {
      uint32_t index, number;
    } enable{index, 1};
    all.push_back(said(SET_VRING_ENABLE, enable));
  }
  return all;
}

void spoil(Said& message, Random& r, const std::vector<int>& fds) {
  auto& bytes = message.payload;
  switch (r.below(10)) {
    case 0:
      message.size = static_cast<uint32_t>(odd_number(r));
      break;
    case 1:
      bytes.resize(r.below(bytes.size() + 1));
      if (r.one_in(2)) message.size = static_cast<uint32_t>(bytes.size());
      break;
    case 2:
      bytes.resize(bytes.size() + 8 * (1 + r.below(40)), static_cast<uint8_t>(r()));
      if (r.one_in(2)) message.size = static_cast<uint32_t>(bytes.size());
      break;
    case 3:
      message.request = static_cast<uint32_t>(r.one_in(4) ? odd_number(r) : r.below(46));
      break;
    case 4:
      message.flags = static_cast<uint32_t>(r.one_in(2) ? 9 : r());
      break;
    case 5:
      message.fds.clear();
      for (uint64_t n = r.below(9); n > 0; --n) message.fds.push_back(fds[r.below(fds.size())]);
      break;
    case 6:
      if (!message.fds.empty()) message.fds[r.below(message.fds.size())] = fds[r.below(fds.size())];
      break;
    case 7:
      if (!bytes.empty()) bytes[r.below(bytes.size())] ^= static_cast<uint8_t>(1 << r.below(8));
      break;
    default:
      if (bytes.size() >= 8) {
        const uint64_t number = odd_number(r);
        const size_t width = r.one_in(2) ? 4 : 8;
        const size_t at = r.below(bytes.size() / width) * width;
        std::memcpy(bytes.data() + at, &number, width);
      }
  }
}

// A message that might come at any time, good as such.
Said stray(Device& device, Random& r) {
  Queue& queue = r.one_in(2) ? device.rx : device.tx;
  struct {
    uint32_t index, number;
  } state{queue.index, static_cast<uint32_t>(r.below(2))};
  switch (r.below(9)) {
    case 0:
      return said(GET_VRING_BASE, state);
    case 1:
      return {4, 1, 0, {}, {}};  // RESET_OWNER
    case 2:
      return said(SET_VRING_ENABLE, state);
    case 3:
      return said(SET_VRING_ADDR, device.addresses(queue));
    case 4:
      return said(SET_VRING_KICK, uint64_t{queue.index}, {queue.kick});
    case 5:
      return said(SET_VRING_CALL, uint64_t{queue.index | (r.one_in(4) ? 0x100 : 0)}, {queue.call});
    case 6:
      state.number = 1U << r.below(17);
      return said(SET_VRING_NUM, state);
    case 7:
      return said(SEND_RARP, r());
    default: {
      std::vector<Region> regions = device.memory.regions;
      for (uint64_t n = r.below(3); n > 0 && regions.size() < 8; --n)
        regions.push_back({odd_number(r), r.one_in(2) ? odd_number(r) : 4096, odd_number(r),
                           r.one_in(2) ? 0 : odd_number(r)});
      if (r.one_in(2)) std::reverse(regions.begin(), regions.end());
      const auto table = FrontEnd::table(regions);
      return {SET_MEM_TABLE, 1, static_cast<uint32_t>(table.size()), table,
              std::vector<int>(regions.size(), device.memory.fd())};
    }
  }
}

void say(FrontEnd& peer, const Said& message) {
  peer.send_raw(message.request, message.flags, message.size, message.payload, message.fds);
}

// --- rings ---

uint64_t wild_address(Device& device, Random& r) {
  const auto& regions = device.memory.regions;
  const Region& region = regions[r.below(regions.size())];
  switch (r.below(8)) {
    case 0:
      return odd_number(r);
    case 1:
      return region.guest + region.size - r.below(4096);
    case 2:
      return region.guest - r.below(64);
    case 3:  // the rings themselves
      return Memory::kGuest + r.below(device.rx.buffers_at);
    default:
      return Memory::kGuest + r.below(device.memory.size());
  }
}

uint32_t wild_length(Random& r) {
  switch (r.below(8)) {
    case 0:
      return static_cast<uint32_t>(odd_number(r));
    case 1:
      return 0;
    case 2:
      return 0xffffffff;
    case 3:
      return static_cast<uint32_t>(r.below(16));
    case 4:
      return static_cast<uint32_t>(r.below(70'000));
    default:
      return static_cast<uint32_t>(12 + r.below(1514));
  }
}

// Split or packed: address, length, then flags and next, or id and flags.
void write_descriptor(Device& device, Queue& queue, Random& r, bool packed, volatile Descriptor& at) {
  const uint32_t size = queue.size;
  at.address = wild_address(device, r);
  at.length = r.one_in(3) ? 16 * static_cast<uint32_t>(r.below(8)) : wild_length(r);
  uint16_t flags = queue.index == 0 && !r.one_in(8) ? WRITE : 0;
  if (r.one_in(3)) flags |= NEXT;
  if (r.one_in(4)) flags |= INDIRECT;
  if (r.one_in(16)) flags = static_cast<uint16_t>(r());
  const auto other = static_cast<uint16_t>(r.one_in(8) ? r() : r.below(size));
  if (packed) {
    at.flags = other;  // the id
    std::atomic_thread_fence(std::memory_order_release);
    at.next = static_cast<uint16_t>(flags | (r.one_in(8) ? PACKED_USED : PACKED_AVAILABLE));
  } else {
    at.flags = flags;
    at.next = other;
  }
  // A table that has itself in it.
  if (r.one_in(16)) {
    const auto offset =
        reinterpret_cast<const volatile uint8_t*>(&at) - device.memory.host(0);
    at.address = Memory::kGuest + static_cast<uint64_t>(offset);
    at.length = 16 * static_cast<uint32_t>(1 + r.below(4));
  }
}

void spoil_rings(Device& device, Random& r, bool packed) {
  for (Queue* queue : {&device.tx, &device.rx}) {
    for (uint64_t n = r.below(2 * queue->size); n > 0; --n) {
      if (r.one_in(3)) {
        // Tables and what lies beside them.
        auto* const tables = reinterpret_cast<Descriptor*>(device.memory.host(queue->tables_at));
        write_descriptor(device, *queue, r, packed,
                         tables[r.below(Queue::kTable * uint64_t{queue->size})]);
      } else {
        write_descriptor(device, *queue, r, packed, queue->descriptors()[r.below(queue->size)]);
      }
      if (!packed) {
        const uint64_t place = r.below(queue->size);
        queue->available()[2 + place] =
            static_cast<uint16_t>(r.one_in(8) ? r() : r.below(queue->size));
      }
    }
    if (packed) {
      // The areas for suppression.
      if (r.one_in(2)) queue->available()[r.below(2)] = static_cast<uint16_t>(r());
    } else {
      auto* const index = &queue->available()[1];
      const auto step = r.one_in(16) ? r() : r.below(queue->size + 2);
      __atomic_store_n(index, static_cast<uint16_t>(*index + step), __ATOMIC_RELEASE);
      if (r.one_in(16)) queue->used()[1] = static_cast<uint16_t>(r());
      if (r.one_in(8)) queue->available()[0] = static_cast<uint16_t>(r());
    }
    const uint64_t one = 1;
    (void)!write(queue->kick, &one, sizeof(one));
  }
}

Options make_options(Random& r) {
  Options options;
  options.size = 1U << r.below(9);
  options.version1 = !r.one_in(4);
  options.mergeable = !r.one_in(4);
  options.event_index = r.one_in(3);
  options.slices = 1 + static_cast<int>(r.below(8));
  options.max = 256;
  return options;
}

class Fuzzer {
 public:
  Fuzzer(FrontEnd& a, FrontEnd& b, Report& report)
      : a_(a), witness_(b, watch(), 1), report_(report) {
    witness_.connect();
    witness_.fill();
    for (const char* name : {"/dev/null", "/dev/zero", "/proc/self/exe", "/tmp"})
      fds_.push_back(open(name, O_RDONLY | O_CLOEXEC));
    fds_.push_back(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    fds_.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    fds_.push_back(memfd_create("empty", MFD_CLOEXEC));
  }
  ~Fuzzer() {
    for (const int fd : fds_) close(fd);
  }
  Fuzzer(const Fuzzer&) = delete;
  Fuzzer& operator=(const Fuzzer&) = delete;

  void play(uint64_t number) {
    Random r{std::mt19937(static_cast<uint32_t>(number * 2'654'435'761U ^ number >> 32))};
    Options options = make_options(r);
    const bool packed = r.one_in(3);
    const uint64_t features =
        options.features() |
        (packed ? bit(RING_PACKED) | (r.one_in(4) ? bit(IN_ORDER) : 0) : 0);
    Device evil(a_, options, static_cast<uint32_t>(number));
    a_.accept();
    const bool socket = r.one_in(2);
    try {
      auto messages = handshake(evil, features);
      if (socket) {
        ++report_["socket"];
        speak(evil, messages, r);
      } else {
        ++report_[packed ? "packed" : "split"];
        for (const Said& message : messages) say(a_, message);
      }
      work(evil, r, packed, socket);
    } catch (const HungUp&) {
      ++report_["refused"];
    }
    a_.hang_up();
  }

 private:
  static Options watch() {
    Options options;
    options.max = 256;
    return options;
  }

  void speak(Device& evil, std::vector<Said>& messages, Random& r) {
    if (r.one_in(4)) {
      messages.resize(r.below(messages.size() + 1));  // and hangs up
    } else {
      for (uint64_t n = 1 + r.below(4); n > 0; --n) {
        Said& one = messages[r.below(messages.size())];
        switch (r.below(8)) {
          case 0:
            std::swap(one, messages[r.below(messages.size())]);
            break;
          case 1:
            one = messages[r.below(messages.size())];
            break;
          case 2: {
            const auto at = messages.begin() + static_cast<long>(r.below(messages.size()));
            messages.insert(at, stray(evil, r));
            break;
          }
          case 3:
            messages.push_back(stray(evil, r));
            break;
          default:
            spoil(one, r, fds_);
        }
      }
    }
    for (const Said& message : messages) {
      say(a_, message);
      if (r.one_in(16)) usleep(static_cast<useconds_t>(r.below(200)));
    }
    if (r.one_in(8)) a_.send_bytes(messages.empty() ? 5 : r.below(12));
  }

  // Rings are written to while they are read; more is said now and then.
  void work(Device& evil, Random& r, bool packed, bool socket) {
    for (uint64_t rounds = 1 + r.below(4); rounds > 0; --rounds) {
      spoil_rings(evil, r, packed);
      for (int i = 0; i < 8 && witness_.send(9, number_); ++i) ++number_;
      witness_.tx.publish();
      if (socket && r.one_in(3)) say(a_, stray(evil, r));
      for (uint64_t n = r.below(200); n > 0; --n) {
        Queue& queue = r.one_in(2) ? evil.rx : evil.tx;
        write_descriptor(evil, queue, r, packed, queue.descriptors()[r.below(queue.size)]);
      }
      std::vector<uint8_t> frame;
      while (witness_.receive(frame)) ++report_["came"];
      witness_.reap_sent();
      witness_.fill();
      a_.drop_answers();
    }
  }

  FrontEnd& a_;
  Device witness_;
  Report& report_;
  std::vector<int> fds_;
  uint64_t number_ = 0;
};

}  // namespace

// Plays `cases` cases from number `seed` on; `now` is a file in which the one that is being played is noted. `c` and `d`: ports for
// honest guests.
void fuzz(FrontEnd& a, FrontEnd& b, const Options&, const Arguments& given, Report& report) {
  const uint64_t first = number_of(given, "seed", 1);
  const uint64_t cases = number_of(given, "cases", 1);
  const int now = given.count("now") != 0
                      ? open(given.at("now").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)
                      : -1;
  FrontEnd c(given.at("c"));
  FrontEnd d(given.at("d"));
  Options plain;
  plain.mixed = true;
  Device left(c, plain, 1);
  Device right(d, plain, 2);
  left.connect();
  right.connect();
  left.fill();
  right.fill();
  Flow there{left, right, 1};
  Flow back{right, left, 2};
  Fuzzer fuzzer(a, b, report);
  for (uint64_t number = first; number < first + cases; ++number) {
    const std::string text = std::to_string(number) + "\n";
    if (now >= 0) (void)!pwrite(now, text.data(), text.size(), 0);
    try {
      fuzzer.play(number);
      exchange(there, back, 8);
    } catch (const std::exception& error) {
      fail("case " + std::to_string(number) + ": " + error.what());
    }
    ++report["cases"];
  }
  if (now >= 0) close(now);
}
