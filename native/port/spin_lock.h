#pragma once

#include <rte_spinlock.h>

#include "eal/happens_before.h"

namespace dpdk_vhost {

// rte_spinlock as the standard library has locks, for std::lock_guard.
class SpinLock {
 public:
  void lock() {
    rte_spinlock_lock(&lock_);
    takes_over(this);
  }
  bool try_lock() {
    if (rte_spinlock_trylock(&lock_) == 0) return false;
    takes_over(this);
    return true;
  }
  void unlock() {
    hands_over(this);
    rte_spinlock_unlock(&lock_);
  }

 private:
  rte_spinlock_t lock_ = RTE_SPINLOCK_INITIALIZER;
};

}  // namespace dpdk_vhost
