#include "lcore/lcore.h"

#include <rte_cycles.h>

#include <algorithm>

#include "port/port.h"

namespace dpdk_vhost {
namespace {

uint32_t histogram_bucket(uint32_t count) {
  return std::min<uint32_t>(31 - static_cast<uint32_t>(__builtin_clz(count)),
                            kHistogramBuckets - 1);
}

}  // namespace

Lcore::Lcore(uint32_t index, std::shared_ptr<PacketMemory> memory, PortTable& ports,
             Quiescence& quiescence, CounterBlock& counters, int wake_fd, uint32_t burst_limit)
    : index_(index),
      memory_(std::move(memory)),
      ports_(ports),
      quiescence_(quiescence),
      reader_(quiescence),
      all_counters_(counters),
      counters_(counters.lcores[index]),
      burst_limit_(std::clamp<uint32_t>(burst_limit, 1, kMaxBurst)),
      block_(std::make_shared<BurstBlock>()),
      sleeper_(wake_fd),
      polled_(std::make_unique<PolledQueues>(QueueList()).release()),
      last_tick_(rte_rdtsc()),
      ms_per_cycle_(1000.0 / static_cast<double>(rte_get_tsc_hz())) {
  first_run_.fill(kNoRun);
}

Lcore::~Lcore() {
  end_burst();
  const std::unique_ptr<PolledQueues> owned(polled_.load());
}

uint32_t Lcore::poll() {
  return poll(false);
}

uint32_t Lcore::poll(bool all) {
  const Quiescence::Section section(reader_);
  tick();
  transmit();
  if (ports_.shapers().due() <= last_tick_) ports_.shapers().drain(ports_, last_tick_);
  return receive(all);
}

uint32_t Lcore::arm() {
  const Quiescence::Section section(reader_);
  tick();
  transmit();
  const QueueList& queues = polled_.load(std::memory_order_acquire)->queues;
  sleeper_.arm(queues);
  sleeper_.limit(ms_until(ports_.shapers().due()));
  // What came before the peers knew that we want to be told of it.
  const uint32_t count = receive(true);
  if (count != 0) sleeper_.disarm(queues);
  return count;
}

void Lcore::disarm() {
  const Quiescence::Section section(reader_);
  sleeper_.disarm(polled_.load(std::memory_order_acquire)->queues);
}

uint32_t Lcore::wait(uint32_t timeout_ms) {
  const uint32_t count = arm();
  if (count != 0) return count;
  counters_.sleeps.add(1);
  sleeper_.wait(timeout_ms);
  disarm();
  return poll(true);
}

// Whole milliseconds, rounded down: who sleeps that long is back in time.
uint32_t Lcore::ms_until(uint64_t due) const {
  if (due <= last_tick_) return 0;
  const double ms = static_cast<double>(due - last_tick_) * ms_per_cycle_;
  return ms < 1e9 ? static_cast<uint32_t>(ms) : UINT32_MAX;
}

void Lcore::tick() {
  const uint64_t now = rte_rdtsc();
  const auto elapsed = static_cast<double>(now - last_tick_);
  counters_.total_cycles.add(elapsed);
  if (was_busy_ || total_ != 0) counters_.busy_cycles.add(elapsed);
  last_tick_ = now;
  block_->clock[0] = static_cast<double>(now) * ms_per_cycle_;
}

// Frees what is left of the burst. The next lcore to poll its queue may go on only now.
void Lcore::end_burst() {
  memory_->free(frames_.data(), total_);
  total_ = received_ = 0;
  block_->words[kTotal] = 0;
  handed_.store(0, std::memory_order_relaxed);
  if (in_hand_ != nullptr) in_hand_->value.store(false, std::memory_order_release);
  in_hand_ = nullptr;
}

namespace {

// Of a frame that its program may be writing to: not a race that ThreadSanitizer is to tell of.
__attribute__((no_sanitize("thread"))) void copy_changing(const volatile uint8_t* from,
                                                          std::vector<uint8_t>& to) {
  for (size_t i = 0; i < to.size(); ++i) to.data()[i] = from[i];
}

}  // namespace

// Frames are looked at only between two looks at the number: what a program goes on with meanwhile
// is not told of.
std::optional<BurstInHand> Lcore::burst_in_hand() const {
  constexpr uint32_t kMost = 64;
  const uint64_t handed = handed_.load(std::memory_order_acquire);
  if (handed == 0) return std::nullopt;
  BurstInHand found{burst_number_.load(std::memory_order_relaxed),
                    static_cast<uint32_t>(handed >> 32),
                    static_cast<uint32_t>(handed >> 16 & 0xffff),
                    static_cast<uint32_t>(handed & 0xffff),
                    {}};
  const uint64_t first = first_.load(std::memory_order_relaxed);
  found.first.resize(std::min(static_cast<uint32_t>(first), kMost));
  copy_changing(memory_->base() + (first >> 32), found.first);
  if (handed_.load(std::memory_order_acquire) != handed) return std::nullopt;
  return found;
}

// --- receiving ---

uint32_t Lcore::receive(bool all) {
  PolledQueues& polled = *polled_.load(std::memory_order_acquire);
  PollOrder& order = polled.order;
  if (ports_.ready_epoch() != ready_epoch_) refresh_ready_ports();
  counters_.polls.add(1);
  order.begin(all);
  for (uint32_t at = order.next(); at != PollOrder::kNone; at = order.next()) {
    const RxQueue& queue = polled.queues[at];
    // This lcore has none in hand here, so another one has.
    if (queue.in_hand->value.load(std::memory_order_acquire)) continue;
    uint32_t count =
        queue.port->receive(queue.queue, memory_->pool(), frames_.data(), burst_limit_);
    if (count == 0) {
      order.empty();
      continue;
    }
    order.found();
    RxCounters& counted = queue.port->counters.rx[queue.queue];
    bool all_fit = true;
    uint64_t bytes = show_first(count, all_fit);
    if (!all_fit) {
      count = drop_oversize(count, counted);
      if (count == 0) continue;
      bytes = show_first(count, all_fit);
    }

    in_hand_ = queue.in_hand;
    in_hand_->value.store(true, std::memory_order_relaxed);
    in_port_ = queue.port->id();
    in_queue_ = queue.queue;
    received_ = total_ = count;
    burst_number_.store(burst_number_.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
    first_.store(uint64_t{offset_[0]} << 32 | length_[0], std::memory_order_relaxed);
    handed_.store(uint64_t{in_port_} << 32 | in_queue_ << 16 | count, std::memory_order_release);
    block_->words[kInPort] = in_port_;
    block_->words[kInQueue] = in_queue_;
    block_->words[kTotal] = count;
    block_->words[kPayload] = payload_of(count);
    find_expected(count);
    counted.frames.add(count);
    counted.bytes.add(static_cast<double>(bytes));
    counters_.frames.add(count);
    counters_.burst_sizes[histogram_bucket(count)].add(1);
    was_busy_ = true;
    return count;
  }
  counters_.empty_polls.add(1);
  was_busy_ = false;
  return 0;
}

uint64_t Lcore::show_first(uint32_t count, bool& all_fit) {
  BurstBlock& block = *block_;
  const PacketMemory& memory = *memory_;
  uint64_t bytes = 0;
  uint64_t whole_bytes = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const rte_mbuf* frame = frames_[i];
    block.offset[i] = memory.buffer_offset(frame) + frame->data_off;
    block.length[i] = frame->data_len;
    bytes += frame->data_len;
    whole_bytes += frame->pkt_len;
  }
  // Apart from the loop, so that these become wide loads and stores.
  for (uint32_t i = 0; i < count; ++i) offset_[i] = block.offset[i];
  for (uint32_t i = 0; i < count; ++i) length_[i] = block.length[i];
  for (uint32_t i = 0; i < count; ++i) block.out_port[i] = kDrop;
  all_fit = bytes == whole_bytes;
  return bytes;
}

// Bytes of the received frames behind their Ethernet headers.
uint32_t Lcore::payload_of(uint32_t count) const {
  uint32_t payload = 0;
  for (uint32_t i = 0; i < count; ++i)
    payload += std::max(length_[i], kEthernetHeader) - kEthernetHeader;
  return payload;
}

// Looks at our copies of the frames, while their first lines are still near.
void Lcore::find_expected(uint32_t count) {
  BurstBlock& block = *block_;
  const ExpectedSource& source = block.expected[in_port_];
  block.words[kExpectedTag] = source.tag;
  if (source.tag == 0) return;
  block.words[kExpected] =
      count_expected(source, memory_->base(), offset_.data(), length_.data(), count);
}

// A frame longer than a buffer comes in several: a program would see the first only.
uint32_t Lcore::drop_oversize(uint32_t count, RxCounters& counted) {
  uint32_t left = 0;
  for (uint32_t i = 0; i < count; ++i) {
    rte_mbuf* const frame = frames_[i];
    if (frame->nb_segs == 1) {
      frames_[left++] = frame;
      continue;
    }
    counted.frames.add(1);
    counted.bytes.add(frame->pkt_len);
    counted.dropped_oversize.add(1);
    rte_pktmbuf_free(frame);
  }
  return left;
}

void Lcore::show(uint32_t index, rte_mbuf* frame) {
  const uint32_t offset = memory_->buffer_offset(frame) + frame->data_off;
  const uint32_t length = frame->data_len;
  offset_[index] = block_->offset[index] = offset;
  length_[index] = block_->length[index] = length;
  block_->out_port[index] = kDrop;
}

void Lcore::refresh_ready_ports() {
  ready_epoch_ = ports_.ready_epoch();
  uint32_t count = 0;
  for (uint32_t id = 0; id < kMaxPorts; ++id) {
    const Port* port = ports_.find(id);
    const bool ready = port != nullptr && port->ready();
    block_->is_ready[id] = ready ? 1 : 0;
    if (ready) block_->ready_ports[count++] = id;
  }
  block_->words[kReadyCount] = count;
  block_->words[kReadyEpoch] = ready_epoch_;
}

void Lcore::replace_queues(QueueList queues) {
  auto fresh = std::make_unique<PolledQueues>(std::move(queues));
  const std::unique_ptr<PolledQueues> old(
      polled_.exchange(fresh.release(), std::memory_order_acq_rel));
  quiescence_.wait_for_readers();
}

}  // namespace dpdk_vhost
