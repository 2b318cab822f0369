#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "control/host.h"
#include "port/vring_stats.h"

namespace dpdk_vhost {

// The control half that every kind of port has: its life, told as events. Control thread only.
class ManagedPort : public Port {
 public:
  ManagedPort(PortHost& host, uint64_t serial, uint32_t id, std::string name,
              uint32_t max_frame_bytes, uint32_t tx_retries_max, PortCounters& counters)
      : Port(id, std::move(name), max_frame_bytes, tx_retries_max, counters),
        host_(host),
        serial_(serial) {}

  // Starts the life of a port that is in the table. Throws Failure, and is then removed without
  // `close`.
  void start(bool admin_up) {
    admin_up_ = admin_up;
    if (admin_up) {
      open();
    } else {
      open_down();
    }
  }

  // Down: unplugged as far as the peer can tell, and back when it is up again. `serial` is new to
  // this process. Throws Failure when it cannot come up, and is then still down.
  void set_admin_state(bool up, uint64_t serial) {
    if (up == admin_up_) return;
    admin_up_ = up;
    if (!up) {
      take_down();
      // Timers and notices from before do not concern the life that follows.
      serial_ = serial;
      return;
    }
    try {
      bring_up();
    } catch (...) {
      admin_up_ = false;
      throw;
    }
  }

  virtual void open() = 0;
  // Ends it: no callback and no device is left when it returns.
  virtual void close() = 0;
  virtual void handle(const Notice& notice) = 0;
  // Tries to connect now instead of later, where that means something.
  virtual void reconnect() {}
  // What librte counted for its vrings; empty where nobody asked it to.
  virtual VringTotals vring_totals(const Quiescence::Reader& /*reader*/) { return {}; }
  // Any thread, inside a section: whether it is the port of the socket at that path.
  virtual bool is_at(const std::string& /*socket*/) const { return false; }
  // Any thread: its peer was cut off, and is not to come back at once.
  virtual void blame_peer() {}
  // The stall watch, inside a section: lets lcores go on that wait for the peer to be called.
  virtual void relieve_calls() {}
  // Finds the state anew from what is, after notices were lost.
  virtual void resync() = 0;

  uint64_t serial() const { return serial_; }
  PortState state() const { return state_; }
  void publish_state() { publish(reason_); }

 protected:
  // What a port does when it is set down, set up, or added down.
  virtual void take_down() { close(); }
  virtual void bring_up() { open(); }
  virtual void open_down() { enter(PortState::closed); }
  bool admin_up() const { return admin_up_; }

  virtual Negotiated negotiated() = 0;
  virtual Handshake handshake() { return {}; }
  virtual uint64_t generation() const = 0;

  void enter(PortState state, const std::string& reason = "") {
    const std::string why = admin_up_ ? reason : "administratively down";
    if (state == state_ && why == reason_) return;
    state_ = state;
    reason_ = why;
    publish(why);
  }

  // Tells of queues that came or went. A guest's driver toggles them in bursts, and several changes
  // may have been made by the time the first is heard of.
  void publish_queues() {
    if (rx_queues_ != told_rx_queues_ || tx_queues_ != told_tx_queues_) publish(reason_);
  }

  void publish(const std::string& reason) {
    PortEvent event;
    event.id = id_;
    event.generation = generation();
    event.state = state_;
    event.reason = reason;
    event.rx_queues = told_rx_queues_ = rx_queues_.load(std::memory_order_relaxed);
    event.tx_queues = told_tx_queues_ = tx_queues_.load(std::memory_order_relaxed);
    event.admin_up = admin_up_;
    event.negotiated = negotiated();
    event.handshake = handshake();
    event.negotiated.queue_pairs =
        static_cast<uint32_t>(__builtin_popcount(event.rx_queues & event.tx_queues));
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    event.time = std::chrono::duration<double, std::milli>(now).count();
    host_.publish(std::move(event));
  }

  // Runs a member later, unless the port is gone by then.
  template <typename Derived>
  void later(std::chrono::milliseconds delay, void (Derived::*member)()) {
    host_.control().after(delay, [&host = host_, id = id_, serial = serial(), member] {
      auto* port = static_cast<ManagedPort*>(host.ports().find(id));
      if (port != nullptr && port->serial() == serial) (static_cast<Derived*>(port)->*member)();
    });
  }

  // Any thread.
  void notify(Notice::Kind kind, uint64_t generation) {
    host_.notify({kind, id_, serial(), generation});
  }

  PortHost& host_;

 private:
  std::atomic<uint64_t> serial_;  // written by the control thread, read by callbacks
  bool admin_up_ = true;
  PortState state_ = PortState::closed;
  std::string reason_;
  uint32_t told_rx_queues_ = 0;
  uint32_t told_tx_queues_ = 0;
};

}  // namespace dpdk_vhost
