#pragma once

#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_memzone.h>

#include <cstdint>
#include <memory>

namespace dpdk_vhost {

// The one region that holds frame bytes, and the pool of mbufs over it. The mbuf headers lie
// elsewhere, so that JavaScript, which sees the whole region as an ArrayBuffer, can spoil bytes of
// frames and nothing else. Shared: freed when the last thread that has a view of it let go.
class PacketMemory {
 public:
  // `mtu` is the largest of any port. Throws Failure ERR_NO_MEMORY when EAL's memory does not hold
  // enough.
  PacketMemory(uint32_t memory_mib, uint32_t mtu);
  ~PacketMemory();
  PacketMemory(const PacketMemory&) = delete;
  PacketMemory& operator=(const PacketMemory&) = delete;

  uint8_t* base() const { return base_; }
  size_t size() const { return size_; }
  rte_mempool* pool() const { return pool_; }
  uint32_t frames() const { return frames_; }
  uint32_t buffer_bytes() const { return buffer_bytes_; }  // headroom included
  uint32_t max_frame_bytes() const { return buffer_bytes_ - RTE_PKTMBUF_HEADROOM; }

  // Frees frames of this pool; null entries are skipped. As rte_pktmbuf_free_bulk, which looks at
  // three cache lines of each frame, where one tells that it is whole and nobody else's.
  void free(rte_mbuf* const* frames, uint32_t count) const;

  uint32_t buffer_offset(const rte_mbuf* frame) const {
    return static_cast<uint32_t>(static_cast<const uint8_t*>(frame->buf_addr) - base_);
  }

 private:
  const rte_memzone* zone_ = nullptr;
  rte_mempool* pool_ = nullptr;
  uint8_t* base_ = nullptr;
  size_t size_ = 0;
  uint32_t frames_ = 0;
  uint32_t buffer_bytes_ = 0;
};

}  // namespace dpdk_vhost
