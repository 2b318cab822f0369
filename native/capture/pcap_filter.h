#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dpdk_vhost {

// Compiles a filter in the syntax of pcap-filter(7), for Ethernet, by the system's libpcap. It is
// looked for only now, so nothing needs it that does not filter. Four words for each instruction of
// the machine: code, jt, jf, k. Any thread; may take long, as names of hosts may have to be looked
// up. Throws Failure ERR_NO_LIBPCAP or ERR_FILTER, the latter with libpcap's words.
std::vector<uint32_t> compile_pcap_filter(const std::string& filter);

}  // namespace dpdk_vhost
