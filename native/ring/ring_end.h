#pragma once

#include <cstdint>

namespace dpdk_vhost {

// Why a ring took no more than it did.
enum class RingEnd : uint8_t {
  asked,  // that was all that was asked for
  dry,    // the guest has made no more available
  other   // what comes next is librte's to deal with
};

}  // namespace dpdk_vhost
