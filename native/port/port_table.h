#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>

#include "constants.h"
#include "eal/quiescence.h"
#include "failure.h"
#include "port/port.h"
#include "port/shaper.h"

namespace dpdk_vhost {

// Ports by id. Changed by the control thread only; read by lcores inside a section.
class PortTable {
 public:
  PortTable() {
    for (uint32_t id = 0; id < kMaxPorts; ++id) free_.push_back(id);
  }

  Port* find(uint32_t id) const {
    return id < kMaxPorts ? ports_[id].load(std::memory_order_acquire) : nullptr;
  }

  // Lcores rebuild their list of ready ports when this changes.
  uint32_t ready_epoch() const { return ready_epoch_.load(std::memory_order_acquire); }
  void note_ready_change() { ready_epoch_.fetch_add(1, std::memory_order_acq_rel); }

  // Whose frames wait.
  ShaperSchedule& shapers() { return shapers_; }

  // --- control thread ---

  uint32_t take_id() {
    if (free_.empty()) throw Failure("ERR_TOO_MANY_PORTS", "all 1024 port ids are in use");
    const uint32_t id = free_.front();
    free_.pop_front();
    return id;
  }
  void give_back_id(uint32_t id) {
    free_.push_back(id);
  }  // to the end: an id rests as long as possible

  void publish(std::unique_ptr<Port> port) {
    const uint32_t id = port->id();
    owned_[id] = std::move(port);
    ports_[id].store(owned_[id].get(), std::memory_order_release);
    note_ready_change();
  }

  // Returns once no lcore can still hold the port, and frees it.
  void remove(uint32_t id, Quiescence& quiescence) {
    ports_[id].store(nullptr, std::memory_order_release);
    note_ready_change();
    quiescence.wait_for_readers();
    owned_[id].reset();
    give_back_id(id);
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& port : owned_) {
      if (port) visit(*port);
    }
  }

 private:
  std::array<std::atomic<Port*>, kMaxPorts> ports_{};
  std::atomic<uint32_t> ready_epoch_{1};
  ShaperSchedule shapers_;
  std::array<std::unique_ptr<Port>, kMaxPorts> owned_;  // control thread
  std::deque<uint32_t> free_;                           // control thread
};

}  // namespace dpdk_vhost
