#pragma once

#include <rte_rcu_qsbr.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "constants.h"
#include "eal/happens_before.h"
#include "failure.h"

namespace dpdk_vhost {

// Tells when no reader can still hold what has been unpublished. A reader holds devices, ports and
// queue lists only inside a `Section`; JavaScript never runs inside one, so `wait_for_readers` is
// short whatever programs do.
class Quiescence {
 public:
  static constexpr uint32_t kMaxReaders = 2 * kMaxLcores;

  Quiescence() {
    const size_t size = (rte_rcu_qsbr_get_memsize(kMaxReaders) + RTE_CACHE_LINE_SIZE - 1) &
                        ~size_t{RTE_CACHE_LINE_SIZE - 1};
    state_.reset(static_cast<rte_rcu_qsbr*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, size)));
    if (!state_ || rte_rcu_qsbr_init(state_.get(), kMaxReaders) != 0) throw std::bad_alloc();
    for (uint32_t id = kMaxReaders; id > 0; --id) free_.push_back(id - 1);
  }

  // Returns once every reader that was inside a section has left it. Callable from any thread that
  // is not a reader inside a section.
  void wait_for_readers() {
    rte_rcu_qsbr_synchronize(state_.get(), RTE_QSBR_THRID_INVALID);
    takes_over(this);
  }

  class Section;

  // One thread's right to read. Made and destroyed on any thread; used by one.
  class Reader {
   public:
    explicit Reader(Quiescence& quiescence) : quiescence_(quiescence), id_(quiescence.take_id()) {
      rte_rcu_qsbr_thread_register(state(), id_);
    }
    ~Reader() {
      rte_rcu_qsbr_thread_unregister(state(), id_);
      quiescence_.give_back(id_);
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

   private:
    friend class Section;
    rte_rcu_qsbr* state() const { return quiescence_.state_.get(); }
    Quiescence& quiescence_;
    const uint32_t id_;
  };

  // While it lives, nothing the reader can see is destroyed.
  class Section {
   public:
    explicit Section(const Reader& reader) : reader_(reader) {
      rte_rcu_qsbr_thread_online(reader_.state(), reader_.id_);
    }
    ~Section() {
      hands_over(&reader_.quiescence_);
      rte_rcu_qsbr_thread_offline(reader_.state(), reader_.id_);
    }
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

   private:
    const Reader& reader_;
  };

 private:
  struct Free {
    void operator()(rte_rcu_qsbr* state) const { std::free(state); }
  };

  uint32_t take_id() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) throw Failure("ERR_TOO_MANY_LCORES", "too many threads use the datapath");
    const uint32_t id = free_.back();
    free_.pop_back();
    return id;
  }
  void give_back(uint32_t id) {
    const std::lock_guard lock(mutex_);
    free_.push_back(id);
  }

  std::unique_ptr<rte_rcu_qsbr, Free> state_;
  std::mutex mutex_;
  std::vector<uint32_t> free_;  // under mutex_
};

}  // namespace dpdk_vhost
