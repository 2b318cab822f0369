#pragma once

#include <functional>

namespace dpdk_vhost {

// Runs `work`, which starts EAL, on a thread of its own and returns when it is done.
//
// Where a CPU does not tell the frequency of its time stamp counter, EAL sleeps for a tenth of a
// second and counts, which is most of the time its start takes. It divides by the time that really
// went by, so this wakes it sooner: a hundredth of a second is still good to far less than the
// 10 MHz it rounds to.
void run_with_short_calibration(const std::function<void()>& work);

}  // namespace dpdk_vhost
