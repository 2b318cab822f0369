#include "lcore/lcore.h"

#include <rte_cycles.h>

#include <algorithm>
#include <cstring>

#include "port/port.h"

namespace dpdk_vhost {
namespace {

constexpr int32_t kDrop = -1;

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
      queues_(std::make_unique<const QueueList>().release()),
      last_tick_(rte_rdtsc()),
      ms_per_cycle_(1000.0 / static_cast<double>(rte_get_tsc_hz())) {
  first_run_.fill(kNoRun);
}

Lcore::~Lcore() {
  rte_pktmbuf_free_bulk(frames_.data(), total_);
  const std::unique_ptr<const QueueList> owned(queues_.load());
}

uint32_t Lcore::poll() {
  const Quiescence::Section section(reader_);
  tick();
  transmit();
  return receive();
}

uint32_t Lcore::arm() {
  const Quiescence::Section section(reader_);
  tick();
  transmit();
  const QueueList& queues = *queues_.load(std::memory_order_acquire);
  sleeper_.arm(queues);
  // What came before the peers knew that we want to be told of it.
  const uint32_t count = receive();
  if (count != 0) sleeper_.disarm(queues);
  return count;
}

void Lcore::disarm() {
  const Quiescence::Section section(reader_);
  sleeper_.disarm(*queues_.load(std::memory_order_acquire));
}

uint32_t Lcore::wait(uint32_t timeout_ms) {
  const uint32_t count = arm();
  if (count != 0) return count;
  counters_.sleeps.add(1);
  sleeper_.wait(timeout_ms);
  disarm();
  return poll();
}

void Lcore::tick() {
  const uint64_t now = rte_rdtsc();
  const auto elapsed = static_cast<double>(now - last_tick_);
  counters_.total_cycles.add(elapsed);
  if (was_busy_ || total_ != 0) counters_.busy_cycles.add(elapsed);
  last_tick_ = now;
  block_->clock[0] = static_cast<double>(now) * ms_per_cycle_;
}

// --- receiving
// --------------------------------------------------------------------------------------------------

uint32_t Lcore::receive() {
  const QueueList& queues = *queues_.load(std::memory_order_acquire);
  if (ports_.ready_epoch() != ready_epoch_) refresh_ready_ports();
  counters_.polls.add(1);
  const auto size = static_cast<uint32_t>(queues.size());
  for (uint32_t i = 0; i < size; ++i) {
    if (next_queue_ >= size) next_queue_ = 0;
    const RxQueue& queue = queues[next_queue_++];
    const uint32_t count =
        queue.port->receive(queue.queue, memory_->pool(), frames_.data(), burst_limit_);
    if (count == 0) continue;

    in_port_ = queue.port->id();
    in_queue_ = queue.queue;
    uint64_t bytes = 0;
    for (uint32_t at = 0; at < count; ++at) {
      show(at, frames_[at]);
      bytes += length_[at];
    }
    received_ = total_ = count;
    block_->words[kInPort] = in_port_;
    block_->words[kInQueue] = in_queue_;
    block_->words[kTotal] = count;
    RxCounters& counted = queue.port->counters.rx[queue.queue];
    counted.frames.add(count);
    counted.bytes.add(static_cast<double>(bytes));
    counters_.burst_sizes[histogram_bucket(count)].add(1);
    was_busy_ = true;
    return count;
  }
  counters_.empty_polls.add(1);
  was_busy_ = false;
  return 0;
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

// --- sending
// ----------------------------------------------------------------------------------------------------

void Lcore::transmit() {
  if (total_ == 0) return;
  if (block_->words[kCopyCount] != 0) transmit_copies();
  const uint32_t total = total_;
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t port = kMaxPorts;
  for (uint32_t i = 0; i < total; ++i) {
    const int32_t verdict = block_->out_port[i];
    if (static_cast<uint32_t>(verdict) >= kMaxPorts) {
      drop(i,
           verdict == kDrop ? &RxCounters::dropped_by_program : &RxCounters::dropped_bad_verdict);
      continue;
    }
    if (!adopt(i)) {
      drop(i, &RxCounters::dropped_bad_offset);
      continue;
    }
    if (static_cast<uint32_t>(verdict) != port || end != i) {
      if (port != kMaxPorts) add_run(port, begin, end);
      port = static_cast<uint32_t>(verdict);
      begin = i;
    }
    end = i + 1;
  }
  if (port != kMaxPorts) add_run(port, begin, end);
  send_runs(false);
  rte_pktmbuf_free_bulk(frames_.data(), total);
  total_ = received_ = 0;
  block_->words[kTotal] = 0;
}

void Lcore::transmit_copies() {
  const uint32_t count = std::min(block_->words[kCopyCount], kMaxCopies);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t frame = block_->copy_frame[i];
    const auto port = static_cast<uint32_t>(block_->copy_port[i]);
    if (frame >= total_ || port >= kMaxPorts) {
      drop(std::min(frame, kMaxFrames - 1), &RxCounters::dropped_bad_verdict);
    } else if (!adopt(frame)) {
      drop(frame, &RxCounters::dropped_bad_offset);
    } else {
      add_run(port, frame, frame + 1);
    }
  }
  block_->words[kCopyCount] = 0;
  send_runs(true);
}

void Lcore::flush() {
  if (total_ == 0) return;
  const Quiescence::Section section(reader_);
  transmit();
}

void Lcore::flush_copies() {
  const Quiescence::Section section(reader_);
  transmit_copies();
}

void Lcore::add_run(uint32_t port, uint32_t begin, uint32_t end) {
  const auto run = static_cast<uint16_t>(run_count_++);
  runs_[run] = {static_cast<uint16_t>(begin), static_cast<uint16_t>(end), kNoRun};
  if (first_run_[port] == kNoRun) {
    first_run_[port] = run;
    touched_[touched_count_++] = static_cast<uint16_t>(port);
  } else {
    runs_[last_run_[port]].next = run;
  }
  last_run_[port] = run;
}

void Lcore::send_runs(bool shared) {
  for (uint32_t i = 0; i < touched_count_; ++i) {
    const uint32_t id = touched_[i];
    const uint16_t first = first_run_[id];
    first_run_[id] = kNoRun;
    Port* port = ports_.find(id);
    if (port == nullptr) {
      for (uint16_t run = first; run != kNoRun; run = runs_[run].next) {
        for (uint32_t at = runs_[run].begin; at < runs_[run].end; ++at)
          drop(at, &RxCounters::dropped_no_such_port);
      }
    } else if (runs_[first].next == kNoRun) {
      port->transmit(index_, &frames_[runs_[first].begin],
                     static_cast<uint32_t>(runs_[first].end - runs_[first].begin), shared);
    } else {
      send_list(*port, first, shared);
    }
  }
  run_count_ = touched_count_ = 0;
}

void Lcore::send_list(Port& port, uint16_t first, bool shared) {
  rte_mbuf* gathered[kMaxFrames];
  uint16_t places[kMaxFrames];
  uint32_t count = 0;
  const auto send = [&] {
    port.transmit(index_, gathered, count, shared);
    for (uint32_t i = 0; i < count; ++i) {
      if (gathered[i] == nullptr) frames_[places[i]] = nullptr;
    }
    count = 0;
  };
  for (uint16_t run = first; run != kNoRun; run = runs_[run].next) {
    for (uint16_t at = runs_[run].begin; at < runs_[run].end; ++at) {
      places[count] = at;
      gathered[count++] = frames_[at];
      if (count == kMaxFrames) send();
    }
  }
  if (count != 0) send();
}

// Takes over what the program made of offset and length. False when that leaves the frame's own
// buffer.
bool Lcore::adopt(uint32_t index) {
  const uint32_t offset = block_->offset[index];
  const uint32_t length = block_->length[index];
  if (offset == offset_[index] && length == length_[index]) return true;
  rte_mbuf* frame = frames_[index];
  const uint32_t begin = memory_->buffer_offset(frame);
  if (offset < begin || offset - begin > frame->buf_len || length < kEthernetHeader ||
      length > frame->buf_len - (offset - begin)) {
    return false;
  }
  frame->data_off = static_cast<uint16_t>(offset - begin);
  frame->data_len = static_cast<uint16_t>(length);
  frame->pkt_len = length;
  offset_[index] = offset;
  length_[index] = length;
  return true;
}

RxCounters& Lcore::rx_counters(uint32_t index) {
  return index < received_ ? all_counters_.ports[in_port_].rx[in_queue_] : counters_.made;
}

// --- frames that a program makes
// ----------------------------------------------------------------------------------

int32_t Lcore::append(rte_mbuf* frame) {
  const uint32_t index = total_++;
  frames_[index] = frame;
  show(index, frame);
  block_->words[kTotal] = total_;
  counters_.frames_made.add(1);
  return static_cast<int32_t>(index);
}

int32_t Lcore::create(uint32_t length) {
  rte_mbuf* frame = nullptr;
  if (total_ < kMaxFrames && length >= kEthernetHeader && length <= memory_->max_frame_bytes()) {
    frame = rte_pktmbuf_alloc(memory_->pool());
  }
  if (frame == nullptr) {
    counters_.frames_not_made.add(1);
    return -1;
  }
  frame->data_len = static_cast<uint16_t>(length);
  frame->pkt_len = length;
  return append(frame);
}

int32_t Lcore::duplicate(uint32_t index) {
  if (index >= total_ || !adopt(index)) {
    counters_.frames_not_made.add(1);
    return -1;
  }
  rte_mbuf* frame = total_ < kMaxFrames ? rte_pktmbuf_alloc(memory_->pool()) : nullptr;
  if (frame == nullptr) {
    counters_.frames_not_made.add(1);
    return -1;
  }
  const rte_mbuf* original = frames_[index];
  frame->data_off = original->data_off;
  frame->data_len = original->data_len;
  frame->pkt_len = original->data_len;
  memcpy(rte_pktmbuf_mtod(frame, void*), rte_pktmbuf_mtod(original, const void*),
         original->data_len);
  return append(frame);
}

void Lcore::fail_burst() {
  for (uint32_t i = 0; i < total_; ++i) drop(i, &RxCounters::dropped_program_error);
  rte_pktmbuf_free_bulk(frames_.data(), total_);
  total_ = received_ = 0;
  block_->words[kTotal] = 0;
  block_->words[kCopyCount] = 0;
}

void Lcore::replace_queues(std::unique_ptr<const QueueList> queues) {
  const std::unique_ptr<const QueueList> old(
      queues_.exchange(queues.release(), std::memory_order_acq_rel));
  quiescence_.wait_for_readers();
}

}  // namespace dpdk_vhost
