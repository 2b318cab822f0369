#pragma once

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace dpdk_vhost {

// For ThreadSanitizer, which does not see what DPDK's own locks and fences order: what a thread did
// before it `hands_over` something comes before what another does after it `takes_over` that.
// Nothing in other builds.
#ifdef __SANITIZE_THREAD__
inline void hands_over(void* what) {
  __tsan_release(what);
}
inline void takes_over(void* what) {
  __tsan_acquire(what);
}
#else
inline void hands_over(void* /*what*/) {}
inline void takes_over(void* /*what*/) {}
#endif

}  // namespace dpdk_vhost
