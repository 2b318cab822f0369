#pragma once

namespace dpdk_vhost {

// While it lives, librte_eal's calls of libc that make its start long are answered sooner. For the
// thread that starts EAL, before any other uses DPDK. Where librte_eal has no such calls to replace
// (as part of another library) its start takes as long as it does.
//
// - It looks for each of 128 CPUs in each of 32 NUMA nodes, whichever there are: nodes that are not
//   there are asked for once.
// - Where a CPU does not tell the frequency of its time stamp counter, it sleeps for a tenth of a
//   second and counts, which is most of the time its start takes. It divides by the time that
//   really went by, and a hundredth of a second is still good to far less than the 10 MHz it rounds
//   to.
// - It loads every driver it finds. Those that only devices need are left to Drivers::load.
class ShortStart {
 public:
  // Drivers are left only if `without_devices`: EAL makes no device in its start.
  explicit ShortStart(bool without_devices);
  ~ShortStart();
  ShortStart(const ShortStart&) = delete;
  ShortStart& operator=(const ShortStart&) = delete;
};

}  // namespace dpdk_vhost
