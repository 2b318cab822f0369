#include <cstring>

#include "lcore/lcore.h"

// Frames that a program makes, and what becomes of a burst whose program fails.

namespace dpdk_vhost {

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
  end_burst();
  block_->words[kCopyCount] = 0;
}

}  // namespace dpdk_vhost
