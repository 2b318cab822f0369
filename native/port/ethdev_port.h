#pragma once

#include <rte_ethdev.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "control/managed_port.h"

namespace dpdk_vhost {

struct EthdevOptions {
  std::string devargs;  // a PCI address or a vdev such as net_tap0,iface=tap0
  uint16_t rx_queues = 1;
  uint16_t tx_queues = 1;
  uint16_t rx_descriptors = 1024;
  uint16_t tx_descriptors = 1024;
  uint16_t mtu = 1500;
};

// Any device that DPDK has a poll-mode driver for.
class EthdevPort final : public ManagedPort {
 public:
  EthdevPort(PortHost& host, uint64_t serial, uint32_t id, std::string name,
             uint32_t max_frame_bytes, uint32_t tx_retries_max, PortCounters& counters,
             EthdevOptions options);

  uint32_t receive(uint16_t queue, rte_mempool* pool, rte_mbuf** frames, uint32_t count) override;
  void transmit(uint32_t lcore, rte_mbuf** frames, uint32_t count, bool shared) override;
  int arm(uint16_t queue, bool on) override;

  void open() override;
  void close() override;
  void handle(const Notice& notice) override;
  void resync() override { check_link(); }

 protected:
  Negotiated negotiated() override;
  uint64_t generation() const override { return generation_; }
  void take_down() override;
  void bring_up() override;
  void open_down() override;

 private:
  void watch_link();
  void set_ready(bool ready);
  void configure();
  void check_link();
  void poll_link();
  void unplug();
  [[noreturn]] void refuse(const std::string& step, int error) const;
  static int on_link(uint16_t device, rte_eth_event_type event, void* self, void* result);

  const EthdevOptions options_;
  uint16_t device_ = RTE_MAX_ETHPORTS;  // set by open before the port can be polled
  bool has_link_interrupt_ = false;     // control thread
  bool callback_registered_ = false;    // control thread
  uint64_t generation_ = 0;             // control thread
};

}  // namespace dpdk_vhost
