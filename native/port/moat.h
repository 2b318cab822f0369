#pragma once

namespace dpdk_vhost {

// Memory of our own behind each piece of a guest's memory. librte_vhost 22.11 can be led to write
// and read behind a buffer (docs/threat-model.md); where that is the end of the guest's memory, the
// kernel may have put another guest's there, or anything else of this process.
//
// librte maps memory by `mmap` of libc, which has no hook: the pointers by which it calls `mmap`
// and `munmap` are replaced.
class Moat {
 public:
  // Once in a process, before librte maps anything. False: its calls could not be found.
  static bool install();
};

}  // namespace dpdk_vhost
