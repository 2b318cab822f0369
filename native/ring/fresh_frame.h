#pragma once

#include <rte_mbuf.h>

#include <cstdint>

namespace dpdk_vhost {

// Makes an mbuf straight from the pool one frame of so many bytes. Sets all that may not be as in a
// new one; rte_pktmbuf_reset would touch its second line.
inline void begin_frame(rte_mbuf& mbuf, uint32_t length) {
  mbuf.data_off = RTE_PKTMBUF_HEADROOM;
  mbuf.port = RTE_MBUF_PORT_INVALID;
  mbuf.ol_flags = RTE_MBUF_F_EXTERNAL;
  mbuf.packet_type = 0;
  mbuf.pkt_len = length;
  mbuf.data_len = static_cast<uint16_t>(length);
  mbuf.vlan_tci = 0;
  mbuf.vlan_tci_outer = 0;
}

}  // namespace dpdk_vhost
