#include "memory/packet_memory.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include <algorithm>
#include <string>
#include <vector>

#include "constants.h"
#include "failure.h"

namespace dpdk_vhost {
namespace {

constexpr uint32_t kCacheFrames =
    256;  // kept per lcore, newest first, so that few buffers stay warm
// What one mbuf costs outside packet memory: its header, the mempool's own header and trailer, its
// ring entry.
constexpr uint32_t kHeaderBytes = 320;
// Left to librte_vhost, device queues and the mempools' caches.
constexpr uint64_t kReserveMib = 16;
constexpr uint64_t kMib = 1024 * 1024;
// JavaScript sees the region as one ArrayBuffer, which node 20 limits to 4 GiB.
constexpr uint64_t kLargestView = 4096 * kMib;

// One piece of external memory per stretch whose physical addresses are contiguous.
std::vector<rte_pktmbuf_extmem> pieces(const rte_memzone* zone, uint32_t buffer_bytes) {
  std::vector<rte_pktmbuf_extmem> result;
  const size_t step = rte_eal_iova_mode() == RTE_IOVA_PA ? zone->hugepage_sz : zone->len;
  size_t length = 0;
  for (size_t at = 0; at < zone->len; at += length) {
    auto* address = static_cast<uint8_t*>(zone->addr) + at;
    // The first piece may begin inside a page.
    const size_t in_page = step == zone->len ? 0 : reinterpret_cast<uintptr_t>(address) % step;
    length = std::min(step - in_page, zone->len - at);
    if (length < buffer_bytes) continue;
    rte_pktmbuf_extmem piece{};
    piece.buf_ptr = address;
    piece.buf_iova = rte_mem_virt2iova(address);
    piece.buf_len = length;
    piece.elt_size = static_cast<uint16_t>(buffer_bytes);
    result.push_back(piece);
  }
  return result;
}

}  // namespace

PacketMemory::PacketMemory(uint32_t memory_mib, uint32_t mtu) {
  // virtio-user wants room for its own header too, although it never puts it there.
  constexpr uint32_t kVirtioNetHeader = 12;
  const uint32_t frame_bytes = mtu + kEthernetHeader + kVlanHeaders + kVirtioNetHeader;
  buffer_bytes_ = RTE_ALIGN_CEIL(RTE_PKTMBUF_HEADROOM + std::max<uint32_t>(frame_bytes, 2048),
                                 RTE_CACHE_LINE_SIZE);

  const uint64_t usable =
      memory_mib > 2 * kReserveMib ? (memory_mib - kReserveMib) * kMib : memory_mib * kMib / 2;
  // A little stays free, since the heap's pieces do not fit exactly.
  uint64_t frames = usable / 100 * 97 / (buffer_bytes_ + kHeaderBytes);
  frames = std::min<uint64_t>(frames, kLargestView / buffer_bytes_ - 1);
  if (frames < 1024) {
    throw Failure("ERR_NO_MEMORY", "memoryMiB " + std::to_string(memory_mib) + " holds only " +
                                       std::to_string(frames) + " frames of MTU " +
                                       std::to_string(mtu) +
                                       "; at least 1024 are needed, raise memoryMiB");
  }

  zone_ = rte_memzone_reserve("packet_memory", frames * buffer_bytes_, SOCKET_ID_ANY, 0);
  if (zone_ == nullptr) {
    throw Failure("ERR_NO_MEMORY", "cannot reserve " +
                                       std::to_string(frames * buffer_bytes_ / kMib) +
                                       " MiB of packet memory: " + rte_strerror(rte_errno) +
                                       "; lower memoryMiB, or reserve more hugepages");
  }
  base_ = static_cast<uint8_t*>(zone_->addr);
  size_ = zone_->len;

  std::vector<rte_pktmbuf_extmem> external = pieces(zone_, buffer_bytes_);
  frames = 0;
  for (const auto& piece : external) frames += piece.buf_len / piece.elt_size;
  frames_ = static_cast<uint32_t>(frames);
  pool_ = rte_pktmbuf_pool_create_extbuf("packet_memory", frames_, kCacheFrames, 0,
                                         static_cast<uint16_t>(buffer_bytes_), SOCKET_ID_ANY,
                                         external.data(), static_cast<unsigned>(external.size()));
  if (pool_ == nullptr) {
    const std::string reason = rte_strerror(rte_errno);
    rte_memzone_free(zone_);
    throw Failure("ERR_NO_MEMORY",
                  "cannot make a pool of " + std::to_string(frames_) + " frames: " + reason);
  }
}

void PacketMemory::free(rte_mbuf* const* frames, uint32_t count) const {
  constexpr uint32_t kChunk = 64;
  void* whole[kChunk];
  uint32_t wholes = 0;
  for (uint32_t i = 0; i < count; ++i) {
    rte_mbuf* const frame = frames[i];
    if (frame == nullptr) continue;
    if (rte_mbuf_refcnt_read(frame) != 1 || frame->nb_segs != 1 || frame->pool != pool_) {
      rte_pktmbuf_free(frame);
      continue;
    }
    // As rte_pktmbuf_free leaves it: without what a device noted of the frame.
    frame->ol_flags = RTE_MBUF_F_EXTERNAL;
    whole[wholes++] = frame;
    if (wholes == kChunk) {
      rte_mempool_put_bulk(pool_, whole, wholes);
      wholes = 0;
    }
  }
  if (wholes != 0) rte_mempool_put_bulk(pool_, whole, wholes);
}

PacketMemory::~PacketMemory() {
  rte_mempool_free(pool_);
  rte_memzone_free(zone_);
}

}  // namespace dpdk_vhost
