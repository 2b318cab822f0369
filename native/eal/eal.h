#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dpdk_vhost {

enum class MemoryMode { automatic, hugepages, memfd };

struct EalOptions {
  MemoryMode memory = MemoryMode::automatic;
  uint32_t memory_mib = 256;
  std::vector<std::string> extra_arguments;
};

// DPDK's environment, which exists once per process and cannot be ended and begun again.
struct Eal {
  bool started = false;
  MemoryMode memory = MemoryMode::memfd;  // what `automatic` became
  uint32_t memory_mib = 0;
  std::vector<std::string> arguments;

  // Starts EAL from a thread of its own, because rte_eal_init pins its caller. Throws Failure with
  // EAL's own words: ERR_EAL_INIT when it can be tried again, ERR_EAL_UNUSABLE when DPDK allows no
  // second try.
  void start(const EalOptions& options);
};

}  // namespace dpdk_vhost
