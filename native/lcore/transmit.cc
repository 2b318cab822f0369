#include <algorithm>

#include "lcore/lcore.h"
#include "port/port.h"

// Sending: what the verdicts and the copy list say, by port.

namespace dpdk_vhost {

void Lcore::transmit() {
  if (total_ == 0) return;
  if (block_->words[kCopyCount] != 0) transmit_copies();
  const bool untouched = is_untouched();
  // Most bursts go to one port as they came.
  Port* const only = untouched ? only_receiver() : nullptr;
  if (only != nullptr) {
    only->deliver(index_, frames_.data(), total_, false);
  } else {
    add_runs(untouched);
    send_runs(false);
  }
  end_burst();
}

// Whether the program left all offsets and lengths as they were: then none of them needs a check.
bool Lcore::is_untouched() const {
  const BurstBlock& block = *block_;
  uint32_t differing = 0;
  for (uint32_t i = 0; i < total_; ++i)
    differing |= (block.offset[i] ^ offset_[i]) | (block.length[i] ^ length_[i]);
  return differing == 0;
}

// The port that all verdicts name, or null.
Port* Lcore::only_receiver() const {
  const int32_t* const verdicts = block_->out_port.data();
  const int32_t first = verdicts[0];
  int32_t differing = 0;
  for (uint32_t i = 1; i < total_; ++i) differing |= verdicts[i] ^ first;
  return differing == 0 ? ports_.find(static_cast<uint32_t>(first)) : nullptr;
}

void Lcore::add_runs(bool untouched) {
  const int32_t* const verdicts = block_->out_port.data();
  for (uint32_t begin = 0, end = 0; begin < total_; begin = end) {
    const int32_t verdict = verdicts[begin];
    for (end = begin + 1; end < total_ && verdicts[end] == verdict;) ++end;
    if (static_cast<uint32_t>(verdict) >= kMaxPorts) {
      const auto reason =
          verdict == kDrop ? &RxCounters::dropped_by_program : &RxCounters::dropped_bad_verdict;
      for (uint32_t i = begin; i < end; ++i) drop(i, reason);
    } else if (untouched) {
      add_run(static_cast<uint32_t>(verdict), begin, end);
    } else {
      add_checked(static_cast<uint32_t>(verdict), begin, end);
    }
  }
}

// Adds those of these frames that can be sent.
void Lcore::add_checked(uint32_t port, uint32_t begin, uint32_t end) {
  uint32_t first = begin;
  for (uint32_t i = begin; i < end; ++i) {
    if (adopt(i)) continue;
    drop(i, &RxCounters::dropped_bad_offset);
    if (first < i) add_run(port, first, i);
    first = i + 1;
  }
  if (first < end) add_run(port, first, end);
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
  counters_.frames_copied.add(count);
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
      port->deliver(index_, &frames_[runs_[first].begin],
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
    port.deliver(index_, gathered, count, shared);
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

}  // namespace dpdk_vhost
