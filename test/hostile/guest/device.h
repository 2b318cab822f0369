#pragma once

// A guest's network card: one queue pair, of split rings (virtio 1.2, section 2.7) or packed ones.

#include <sys/eventfd.h>

#include <memory>
#include <random>

#include "front_end.h"
#include "packed_side.h"

constexpr uint16_t NEXT = 1, WRITE = 2, INDIRECT = 4, NO_INTERRUPT = 1;
// Where a packed ring begins: at its first descriptor, with its wrap counter set.
constexpr uint32_t PACKED_BASE = 1 << 15;

// When the guest wants to be called.
enum class Calls { never, always, event };

struct Options {
  uint32_t size = 256;
  bool version1 = true, mergeable = true, event_index = false;
  bool packed = false, in_order = false;  // in order: packed rings only
  Calls calls = Calls::never;
  bool mixed = false;    // chains and indirect tables among simple descriptors
  bool small = false;    // rx buffers smaller than frames (mergeable only)
  int slices = 1;        // regions of memory
  uint32_t max = 1514;   // bytes of the longest frame
  uint32_t header() const { return version1 || mergeable || packed ? 12 : 10; }
  uint64_t features() const {
    return bit(PROTOCOL_FEATURES) | bit(INDIRECT_DESC) | (version1 ? bit(VERSION_1) : 0) |
           (mergeable ? bit(MRG_RXBUF) : 0) | (event_index ? bit(EVENT_IDX) : 0) |
           (packed ? bit(RING_PACKED) : 0) | (in_order ? bit(IN_ORDER) : 0);
  }
};

class Queue {
 public:
  // What one chain holds: bytes of its buffer.
  static constexpr uint32_t kTable = 4;

  Queue(Memory& memory, const Options& options, uint32_t index)
      : memory(memory),
        options(options),
        index(index),
        size(options.size),
        packed(size, options.in_order) {
    descriptors_at = memory.take(16 * size, 16);
    available_at = memory.take(6 + 2 * size, 4);
    used_at = memory.take(6 + 8 * size, 4);
    tables_at = memory.take(16 * kTable * size, 16);
    kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    chains.resize(size);
    for (uint32_t i = 0; i < size; ++i) free.push_back(static_cast<uint16_t>(size - 1 - i));
  }
  ~Queue() {
    close(kick);
    close(call);
  }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // Once the rings of all queues are placed. Odd, so that buffers lie across the ends of slices.
  void place_buffers(uint32_t buffer) {
    stride = buffer + 14;
    buffers_at = memory.take(uint64_t{stride} * size, 2) + (index == 0 ? 0 : 2);
  }

  Descriptor* descriptors() { return reinterpret_cast<Descriptor*>(memory.host(descriptors_at)); }
  uint16_t* available() { return reinterpret_cast<uint16_t*>(memory.host(available_at)); }
  uint16_t* used() { return reinterpret_cast<uint16_t*>(memory.host(used_at)); }
  Used* used_ring() { return reinterpret_cast<Used*>(used() + 2); }
  uint8_t* buffer(uint16_t id) { return memory.host(buffers_at + uint64_t{stride} * id); }
  uint64_t guest(uint16_t id) const { return Memory::kGuest + buffers_at + uint64_t{stride} * id; }
  uint16_t used_index() { return __atomic_load_n(&used()[1], __ATOMIC_ACQUIRE); }
  bool has_used() {
    return options.packed ? packed.has_used(descriptors()) : used_index() != last_used;
  }

  // Makes the buffer of a free descriptor available, its parts of these lengths. `indirect`: by a
  // table. -1: not enough descriptors are free.
  int add(const std::vector<uint32_t>& parts, bool indirect) {
    const size_t needed = indirect ? 1 : parts.size();
    if (free.size() < needed) return -1;
    const uint16_t head = free.back();
    if (options.packed) {
      if (!packed.has_room(needed)) return -1;
      offer_packed(reserve(), parts, indirect);
      ++outstanding;
      return head;
    }
    write_chain(head, parts, indirect);
    make_available(head);
    return head;
  }
  uint16_t reserve() {
    const uint16_t id = free.back();
    free.pop_back();
    return id;
  }
  void make_available(uint16_t id) {
    available()[2 + (next_available % size)] = id;
    ++next_available;
    ++outstanding;
  }
  void publish() {
    if (!options.packed) __atomic_store_n(&available()[1], next_available, __ATOMIC_RELEASE);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const uint64_t one = 1;
    const uint16_t* const flags = &used()[options.packed ? 1 : 0];
    if (options.event_index || (__atomic_load_n(flags, __ATOMIC_RELAXED) & 1) == 0)
      (void)!write(kick, &one, sizeof(one));
  }
  bool take_used(Used& entry) {
    if (options.packed) {
      if (!packed.take_used(descriptors(), entry)) return false;
    } else {
      if (!has_used()) return false;
      entry = used_ring()[last_used % size];
      ++last_used;
    }
    --outstanding;
    return true;
  }
  void release(uint32_t id) {
    if (id >= size || chains[id].empty()) fail("used id " + std::to_string(id) + " was not given");
    for (auto i = chains[id].rbegin(); i != chains[id].rend(); ++i) free.push_back(*i);
    chains[id].clear();
  }
  void want_calls(bool on) {
    if (options.packed) {
      // The place of an event, and flags: 0 calls always, 1 never, 2 there.
      const bool there = on && options.event_index;
      __atomic_store_n(&available()[0], packed.next_used(), __ATOMIC_RELAXED);
      __atomic_store_n(&available()[1], uint16_t(there ? 2 : on ? 0 : 1), __ATOMIC_RELEASE);
    } else if (options.event_index) {
      // Far away: nothing that comes soon.
      const uint16_t at = on ? last_used : static_cast<uint16_t>(last_used + 0x7000);
      __atomic_store_n(&available()[2 + size], at, __ATOMIC_RELAXED);
    } else {
      __atomic_store_n(&available()[0], on ? uint16_t{0} : NO_INTERRUPT, __ATOMIC_RELAXED);
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  uint64_t take_calls() {
    uint64_t count = 0;
    return read(call, &count, sizeof(count)) == sizeof(count) ? count : 0;
  }

  Memory& memory;
  const Options options;
  const uint32_t index;
  const uint32_t size;
  uint64_t descriptors_at, available_at, used_at, tables_at, buffers_at = 0;
  uint32_t stride = 0;
  int kick = -1, call = -1;
  std::vector<uint16_t> free;
  std::vector<std::vector<uint16_t>> chains;  // by head
  uint16_t next_available = 0, last_used = 0;
  uint32_t outstanding = 0;
  PackedSide packed;

 private:
  void offer_packed(uint16_t id, const std::vector<uint32_t>& parts, bool indirect) {
    const uint16_t direction = index == 0 ? WRITE : 0;
    uint64_t at = guest(id);
    std::vector<Descriptor> chain;
    for (size_t i = 0; i < parts.size(); ++i) {
      const bool last = indirect || i + 1 == parts.size();
      chain.push_back({at, parts[i], static_cast<uint16_t>(direction | (last ? 0 : NEXT)), 0});
      at += parts[i];
    }
    chains[id].push_back(id);
    if (indirect) {
      auto* const table = reinterpret_cast<Descriptor*>(memory.host(tables_at)) + kTable * id;
      for (size_t i = 0; i < chain.size(); ++i)
        table[i] = {chain[i].address, chain[i].length, 0, chain[i].flags};
      const auto bytes = static_cast<uint32_t>(16 * chain.size());
      chain = {{Memory::kGuest + tables_at + 16 * kTable * id, bytes, INDIRECT, 0}};
    }
    packed.offer(descriptors(), id, chain);
  }
  void write_chain(uint16_t head, const std::vector<uint32_t>& parts, bool indirect) {
    const uint16_t direction = index == 0 ? WRITE : 0;
    uint64_t at = guest(head);
    auto& mine = chains[head];
    if (indirect) {
      auto* const table = reinterpret_cast<Descriptor*>(memory.host(tables_at)) + kTable * head;
      for (size_t i = 0; i < parts.size(); ++i) {
        const bool last = i + 1 == parts.size();
        table[i] = {at, parts[i], static_cast<uint16_t>(direction | (last ? 0 : NEXT)),
                    static_cast<uint16_t>(last ? 0 : i + 1)};
        at += parts[i];
      }
      mine.push_back(reserve());
      descriptors()[head] = {Memory::kGuest + tables_at + 16 * kTable * head,
                             static_cast<uint32_t>(16 * parts.size()), INDIRECT, 0};
      return;
    }
    for (size_t i = 0; i < parts.size(); ++i) mine.push_back(reserve());
    for (size_t i = 0; i < parts.size(); ++i) {
      const bool last = i + 1 == parts.size();
      descriptors()[mine[i]] = {at, parts[i], static_cast<uint16_t>(direction | (last ? 0 : NEXT)),
                                last ? uint16_t{0} : mine[i + 1]};
      at += parts[i];
    }
  }
};

// Fills `to` with frame `number` of a stream: its length and bytes follow from both.
inline uint32_t make_frame(uint64_t stream, uint64_t number, uint32_t max, uint8_t* to) {
  std::minstd_rand random(static_cast<uint32_t>(stream * 1'000'003 + number * 2 + 1));
  const uint32_t length = 60 + random() % (max - 59);
  static const uint8_t ethernet[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
  std::memcpy(to, ethernet, 14);
  std::memcpy(to + 14, &stream, 8);
  std::memcpy(to + 22, &number, 8);
  uint32_t word = random();
  for (uint32_t i = 30; i < length; ++i) {
    to[i] = static_cast<uint8_t>(word + i * 7);
    if (i % 16 == 0) word = word * 1664525 + 1013904223;
  }
  return length;
}

class Device {
 public:
  Device(FrontEnd& front_end, const Options& options, uint32_t seed)
      : front_end(front_end),
        options(options),
        memory(memory_size(options), 1),
        rx(memory, options, 0),
        tx(memory, options, 1),
        random(seed) {
    const uint64_t rings = memory.take(0, 4096);
    memory.slice(options.slices, rings);
    rx.place_buffers(rx_buffer());
    tx.place_buffers(options.header() + options.max);
  }

  void connect() {
    front_end.accept();
    handshake();
  }
  void handshake() {
    const uint64_t offered = front_end.ask(GET_FEATURES);
    if ((options.features() & ~offered) != 0) fail("the switch does not offer what is needed");
    const uint64_t protocol = front_end.ask(GET_PROTOCOL_FEATURES);
    if ((WANTED_PROTOCOL & ~protocol) != 0) fail("protocol features are missing");
    front_end.send_number(SET_PROTOCOL_FEATURES, WANTED_PROTOCOL);
    front_end.send(SET_OWNER, nullptr, 0);
    front_end.send_number(SET_FEATURES, options.features());
    front_end.set_memory(memory, memory.regions);
    rx.want_calls(options.calls == Calls::always);
    tx.want_calls(options.calls == Calls::always);
    for (Queue* queue : {&rx, &tx}) start(*queue, options.packed ? PACKED_BASE : queue->last_used);
    for (Queue* queue : {&rx, &tx}) front_end.send_state(SET_VRING_ENABLE, queue->index, 1);
    // Once more: the device runs by then, and this is answered when lcores may use the rings again.
    // What is only asked for is answered before, and a frame may find a ring of 1 closed.
    const uint32_t enable[2] = {tx.index, 1};
    front_end.asks(SET_VRING_ENABLE, enable, sizeof(enable));
  }
  void start(Queue& queue, uint32_t base) {
    front_end.send_state(SET_VRING_NUM, queue.index, queue.size);
    front_end.send_state(SET_VRING_BASE, queue.index, base);
    set_addresses(queue);
    front_end.send_number(SET_VRING_CALL, queue.index, {queue.call});
    front_end.send_number(SET_VRING_KICK, queue.index, {queue.kick});
  }
  struct __attribute__((packed)) Addresses {
    uint32_t index, flags;
    uint64_t descriptors, used, available, log;
  };
  Addresses addresses(const Queue& queue) const {
    return {queue.index,
            0,
            Memory::kUser + queue.descriptors_at,
            Memory::kUser + queue.used_at,
            Memory::kUser + queue.available_at,
            Memory::kGuest + queue.used_at};
  }
  void set_addresses(const Queue& queue) {
    const Addresses payload = addresses(queue);
    front_end.send(SET_VRING_ADDR, &payload, sizeof(payload));
  }

  // Makes all free rx descriptors available.
  void fill() {
    const uint32_t header = options.header();
    const uint32_t all = rx_buffer();
    bool any = false;
    for (;;) {
      const uint32_t how = options.mixed ? random() % 5 : 0;
      const bool apart = how == 1 || how == 2;
      const std::vector<uint32_t> parts =
          apart ? std::vector<uint32_t>{header, all - header} : std::vector<uint32_t>{all};
      if (rx.add(parts, how >= 2 && how <= 3) < 0) break;
      any = true;
    }
    if (any) rx.publish();
  }
  // Frames that the rx ring can hold now for certain.
  uint32_t room() const {
    const uint32_t each = (options.header() + options.max + rx_buffer() - 1) / rx_buffer();
    return rx.outstanding / each;
  }

  // Sends frame `number`; false: no descriptor is free.
  bool send(uint64_t stream, uint64_t number) {
    if (tx.free.empty()) return false;
    const uint16_t head = tx.free.back();
    const uint32_t header = options.header();
    uint8_t* const at = tx.buffer(head);
    std::memset(at, 0, header);
    const uint32_t length = make_frame(stream, number, options.max, at + header);
    const uint32_t how = options.mixed ? random() % 8 : 0;
    switch (how) {
      case 1:
        return tx.add({header, length}, false) >= 0;
      case 2:
        return tx.add({header, 20, length - 20}, false) >= 0;
      case 3:
        return tx.add({header + 30, length - 30}, false) >= 0;
      case 4:
        return tx.add({header + length}, true) >= 0;
      case 5:
        return tx.add({header, 14, 6, length - 20}, true) >= 0;
      default:
        return tx.add({header + length}, false) >= 0;
    }
  }
  void reap_sent() {
    for (Used entry; tx.take_used(entry);) tx.release(entry.id);
  }
  // The next frame that came; false: none.
  bool receive(std::vector<uint8_t>& frame) {
    if (!rx.has_used()) return false;
    const uint32_t header = options.header();
    frame.clear();
    received_at.clear();
    uint32_t buffers = 1;
    for (uint32_t i = 0; i < buffers; ++i) {
      Used entry;
      if (!rx.take_used(entry)) fail("a frame's buffers did not come together");
      if (entry.id >= rx.size || entry.length > rx_buffer())
        fail("used entry " + std::to_string(entry.id) + "," + std::to_string(entry.length));
      const uint8_t* const at = rx.buffer(static_cast<uint16_t>(entry.id));
      received_at.push_back(rx.guest(static_cast<uint16_t>(entry.id)));
      if (i == 0) {
        if (entry.length < header) fail("shorter than a header");
        // librte_vhost leaves it alone when buffers are not mergeable.
        if (options.mergeable) buffers = at[10] | at[11] << 8;
        if (buffers == 0) fail("num_buffers is 0");
        for (uint32_t h = 0; h < 10; ++h)
          if (at[h] != 0) fail("header byte " + std::to_string(h));
      }
      const uint32_t skip = i == 0 ? header : 0;
      frame.insert(frame.end(), at + skip, at + entry.length);
      rx.release(entry.id);
    }
    return true;
  }

  uint32_t rx_buffer() const { return options.header() + (options.small ? 300 : options.max); }

  FrontEnd& front_end;
  const Options options;
  Memory memory;
  Queue rx, tx;
  std::vector<uint64_t> received_at;  // guest addresses of the buffers of the last frame
  std::minstd_rand random;

 private:
  static uint64_t memory_size(const Options& options) {
    return (uint64_t{options.size} * (16 + 2 + 8 + 64) + 64) * 2 + (1 << 16) +
           2 * uint64_t{options.size} * (options.max + 40);
  }
};
